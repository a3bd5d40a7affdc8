import { AudioLines, Film, ImageIcon, ImagePlay, RefreshCw, Type, Upload, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api } from "../../api/client";
import { asApiError, sentence } from "../../api/errors";
import type { Asset, AssetKind } from "../../api/types";
import { ACCEPTED } from "../../api/uploads";
import { dataString } from "../../graph/document";
import type { UploadState } from "../../store/assets";
import { useAsset, useNodeActions, useProject, useUpload } from "../../store/project";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { formatBytes } from "../../ui/format";
import { Progress } from "../../ui/Progress";
import { Skeleton } from "../../ui/Skeleton";
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
      {asset && !upload && <p className={styles.facts}>{factsOf(asset)}</p>}
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
  return [size, asset.media_type.replace(/^.*\//, "").toUpperCase(), formatBytes(asset.size)]
    .filter(Boolean)
    .join(" · ");
}
