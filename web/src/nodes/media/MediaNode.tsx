import { AudioLines, Film, ImageIcon, ImagePlay, RefreshCw, Type, Upload, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api } from "../../api/client";
import { asApiError, sentence } from "../../api/errors";
import type { Asset, AssetKind, AssetRole } from "../../api/types";
import { ACCEPTED } from "../../api/uploads";
import { dataString } from "../../graph/document";
import { clock } from "../../session/words";
import type { UploadState } from "../../store/assets";
import { useAsset, useNodeActions, useProject, useUpload } from "../../store/project";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { formatBytes } from "../../ui/format";
import { Progress } from "../../ui/Progress";
import { Select, type SelectOption } from "../../ui/Select";
import { Skeleton } from "../../ui/Skeleton";
import { toast } from "../../ui/Toast";
import { NodeHeader } from "../NodeHeader";
import type { NodeViewProps } from "../types";
import { FontSample } from "./FontSample";
import styles from "./MediaNode.module.css";

const ICONS: Record<AssetKind, typeof Film> = {
  image: ImageIcon,
  video: Film,
  audio: AudioLines,
  font: Type,
};

export function MediaNode({ id, data }: NodeViewProps) {
  const { assets } = useProject();
  const { setData } = useNodeActions(id);
  const assetId = dataString({ data } as Parameters<typeof dataString>[0], "asset_id");
  const asset = useAsset(assetId);
  const upload = useUpload(id);
  const picker = useRef<HTMLInputElement>(null);
  const missing = useMissing(assetId, asset);

  const take = async (file: File | undefined) => {
    if (!file) return;
    const done = await assets.upload(id, file);
    if (done) setData({ asset_id: done.id }, { label: "replace media" });
  };
  const pick = () => picker.current?.click();

  return (
    <div className={styles.root}>
      <NodeHeader
        Icon={asset?.kind ? ICONS[asset.kind] : ImagePlay}
        title={asset?.filename ?? upload?.file.name ?? "Media"}
      >
        {asset && (
          <IconButton label="Replace file" size="sm" className="nodrag" onClick={pick}>
            <RefreshCw />
          </IconButton>
        )}
      </NodeHeader>
      <div className={styles.body}>
        {upload ? (
          <Uploading
            upload={upload}
            onRetry={() => void take(upload.file)}
            onDismiss={() => assets.dismiss(id)}
          />
        ) : asset ? (
          <Shown asset={asset} />
        ) : assetId && missing ? (
          <div className={styles.empty}>
            <p>{missing}</p>
            <Button size="sm" className="nodrag" onClick={pick}>
              Choose a file
            </Button>
          </div>
        ) : assetId ? (
          <Skeleton height="100%" radius="var(--radius)" />
        ) : (
          <button type="button" className={cx(styles.drop, "nodrag")} onClick={pick}>
            <Upload size={18} />
            <span>Choose a file or drop one here</span>
            <small>Pictures, video, sound, fonts</small>
          </button>
        )}
      </div>
      {asset && !upload && (
        <div className={styles.foot}>
          <p className={styles.facts}>{factsOf(asset)}</p>
          {(asset.kind === "image" || asset.kind === "video") && <Role asset={asset} />}
        </div>
      )}
      <input
        ref={picker}
        type="file"
        accept={ACCEPTED}
        hidden
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
    </div>
  );
}

/** Fetches an asset that the list did not have; a sentence where it is not there any more. */
function useMissing(assetId: string | null, asset: Asset | null): string | null {
  const { assets } = useProject();
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    setProblem(null);
    if (!assetId || asset) return;
    let current = true;
    assets.fetch(assetId).catch((thrown: unknown) => {
      if (!current) return;
      const gone = asApiError(thrown).code === "not_found";
      setProblem(gone ? "This file was deleted." : sentence(thrown));
    });
    return () => {
      current = false;
    };
  }, [assets, assetId, asset]);
  return problem;
}

const ROLES: readonly SelectOption<AssetRole | null>[] = [
  { value: null, label: "Use as you like", detail: "The agent decides, or your words do" },
  { value: "logo", label: "Logo", detail: "Shown whole, in its own colours" },
  { value: "product", label: "Product", detail: "What the animation is about" },
  { value: "background", label: "Background", detail: "Behind everything" },
  { value: "reference", label: "Like this", detail: "Its look is taken up; it is never shown" },
];

/** What the agent is to make of it. */
function Role({ asset }: { asset: Asset }) {
  const { assets } = useProject();
  return (
    <Select<AssetRole | null>
      size="sm"
      label="What it is for"
      className={cx(styles.role, "nodrag")}
      value={asset.role}
      onChange={(role) =>
        void assets
          .setRole(asset.id, role)
          .catch((thrown: unknown) => toast.error("This was not saved", thrown))
      }
      options={ROLES}
    />
  );
}

function Shown({ asset }: { asset: Asset }) {
  const url = api.assets.contentUrl(asset.id);
  switch (asset.kind) {
    case "image":
      return <img className={styles.picture} src={url} alt={asset.filename} draggable={false} />;
    case "video":
      return (
        // biome-ignore lint/a11y/useMediaCaption: a person's own file; there are no captions to show
        <video className={cx(styles.picture, "nodrag")} src={url} controls preload="metadata" />
      );
    case "audio":
      return (
        <div className={styles.audio}>
          <AudioLines size={28} />
          {/* biome-ignore lint/a11y/useMediaCaption: a person's own file; there are no captions to show */}
          <audio className="nodrag" src={url} controls preload="metadata" />
        </div>
      );
    case "font":
      return <FontSample asset={asset} />;
    default:
      return <div className={styles.empty}>This file is not ready.</div>;
  }
}

function Uploading({
  upload,
  onRetry,
  onDismiss,
}: {
  upload: UploadState;
  onRetry: () => void;
  onDismiss: () => void;
}) {
  if (upload.error) {
    return (
      <div className={styles.empty} role="alert">
        <p>{sentence(upload.error)}</p>
        <div className={styles.row}>
          <Button size="sm" className="nodrag" onClick={onRetry}>
            Try again
          </Button>
          <Button size="sm" variant="ghost" className="nodrag" onClick={onDismiss}>
            Dismiss
          </Button>
        </div>
      </div>
    );
  }
  const checking = upload.progress >= 1;
  return (
    <div className={styles.empty}>
      <p>{checking ? "Checking the file…" : `Uploading ${Math.round(upload.progress * 100)} %`}</p>
      <div className={styles.row}>
        <Progress
          label={`Uploading ${upload.file.name}`}
          value={checking ? undefined : upload.progress}
        />
        <IconButton label="Cancel upload" size="sm" className="nodrag" onClick={onDismiss}>
          <X />
        </IconButton>
      </div>
    </div>
  );
}

function factsOf(asset: Asset): string {
  const size = asset.width && asset.height ? `${asset.width} × ${asset.height}` : null;
  const length = asset.seconds ? clock(asset.seconds) : null;
  return [
    size,
    length,
    asset.media_type.replace(/^.*\/|\+.*$/g, "").toUpperCase(),
    formatBytes(asset.size),
  ]
    .filter(Boolean)
    .join(" · ");
}
