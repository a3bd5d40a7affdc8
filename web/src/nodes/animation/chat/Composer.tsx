/** Where a person writes: words, files, and what is connected to the node. */

import { ArrowUp, FileAudio, FileImage, FileVideo, Paperclip, Square, Type, X } from "lucide-react";
import {
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from "react";
import { useStore } from "zustand";
import { api } from "../../../api/client";
import { randomName } from "../../../api/ids";
import { ACCEPTED } from "../../../api/uploads";
import { isBusy } from "../../../session/view";
import { useAsset, useProject, useUpload } from "../../../store/project";
import { IconButton } from "../../../ui/Button";
import { cx } from "../../../ui/cx";
import { Spinner } from "../../../ui/Spinner";
import { Tooltip } from "../../../ui/Tooltip";
import { useAnimation, useSession, useView } from "../context";
import styles from "./Composer.module.css";

/** The server's limit, in bytes. */
const MESSAGE_BYTES = 32 * 1024;

interface ComposerProps {
  autoFocus?: boolean;
  /** Shown in the bar while nothing has to be said there. */
  aside?: ReactNode;
  className?: string | undefined;
}

export function Composer({ autoFocus = false, aside, className }: ComposerProps) {
  const { draft, incoming, send, live, nodeId } = useAnimation();
  const { assets } = useProject();
  const { text, files } = useStore(draft);
  const turn = useView((view) => view.turn);
  const busy = useView(isBusy);
  const phase = useView((view) => view.phase);
  const stopping = useSession((data) => data.busy.stop || data.view.turn?.stopRequested || false);
  const stopError = useSession((data) => data.errors.stop);
  const picker = useRef<HTMLInputElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [over, setOver] = useState(false);

  useEffect(() => {
    if (autoFocus) field.current?.focus({ preventScroll: true });
  }, [autoFocus]);

  const uploading = files.some((file) => file.assetId === null);
  const tooLong = new TextEncoder().encode(text).length > MESSAGE_BYTES;
  const hasWords = text.trim() !== "" || (incoming.texts.length > 0 && phase === "idle");
  const canSend = hasWords && !uploading && !tooLong;

  const attach = (list: Iterable<File>) => {
    for (const file of list) {
      const owner = `${nodeId}.${randomName(8)}`;
      draft.setState((it) => ({
        files: [...it.files, { owner, name: file.name, assetId: null }],
      }));
      void assets.upload(owner, file).then((asset) => {
        if (!asset) return;
        draft.setState((it) => ({
          files: it.files.map((one) => (one.owner === owner ? { ...one, assetId: asset.id } : one)),
        }));
      });
    }
  };
  const detach = (owner: string) => {
    assets.dismiss(owner);
    draft.setState((it) => ({ files: it.files.filter((one) => one.owner !== owner) }));
  };
  const submit = () => {
    if (!canSend) return;
    send(
      text.trim(),
      files.flatMap((file) => (file.assetId ? [file.assetId] : [])),
    );
    draft.setState({ text: "", files: [] });
  };
  const stop = () => void live?.session.actions.stop();

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      // With Ctrl or Command and nothing written, an open plan is approved instead.
      if ((event.metaKey || event.ctrlKey) && !text.trim() && phase === "plan") {
        void live?.session.actions.approve();
      } else {
        submit();
      }
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Escape" && turn && !stopping) {
      event.preventDefault();
      event.stopPropagation();
      stop();
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    attach(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent) => {
    setOver(false);
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    attach(event.dataTransfer.files);
  };
  const onDragOver = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    setOver(true);
  };

  return (
    // Dropping files here is an addition to the paperclip.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div
      className={cx(styles.root, "nodrag nopan", className)}
      data-over={over || undefined}
      onDrop={onDrop}
      onDragOver={onDragOver}
      onDragLeave={() => setOver(false)}
    >
      {stopError && (
        <p className={styles.error} role="alert">
          {stopError.message}
        </p>
      )}
      {tooLong && (
        <p className={styles.error} role="alert">
          A message holds at most 32 KB. Attach long material as a file instead.
        </p>
      )}
      <div className={styles.box}>
        {(files.length > 0 || incoming.texts.length > 0 || incoming.assetIds.length > 0) && (
          <div className={styles.chips}>
            {incoming.texts.map((words) => (
              <span key={words} className={styles.chip} title={words} data-from="text">
                <Type size={12} />
                <span>from Text: {words}</span>
              </span>
            ))}
            {incoming.assetIds.map((id) => (
              <Connected key={id} assetId={id} />
            ))}
            {files.map((file) => (
              <Attached key={file.owner} file={file} onRemove={() => detach(file.owner)} />
            ))}
          </div>
        )}
        <textarea
          ref={field}
          className={cx(styles.field, "nowheel")}
          rows={1}
          value={text}
          aria-label="Message to the agent"
          placeholder={placeholder(phase, turn !== null)}
          onChange={(event) => draft.setState({ text: event.target.value })}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <div className={styles.bar}>
          <Tooltip label="Attach pictures, video, sound or fonts" side="top">
            <IconButton label="Attach files" size="sm" onClick={() => picker.current?.click()}>
              <Paperclip />
            </IconButton>
          </Tooltip>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            accept={ACCEPTED}
            onChange={(event) => {
              attach(event.target.files ?? []);
              event.target.value = "";
            }}
          />
          <span className={styles.hint}>
            {busy && text.trim() ? "Will be sent when the agent is done" : aside}
          </span>
          {turn && (
            <Tooltip label={stopping ? "Stopping…" : "Stop"} shortcut="escape" side="top">
              <IconButton
                label="Stop"
                size="sm"
                variant="secondary"
                loading={stopping}
                onClick={stop}
              >
                <Square fill="currentColor" />
              </IconButton>
            </Tooltip>
          )}
          {(!turn || text.trim()) && (
            <Tooltip
              label={uploading ? "Files are being uploaded" : "Send"}
              shortcut="enter"
              side="top"
            >
              <IconButton
                label="Send"
                size="sm"
                variant="accent"
                className={styles.send}
                disabled={!canSend}
                onClick={submit}
              >
                <ArrowUp />
              </IconButton>
            </Tooltip>
          )}
        </div>
      </div>
    </div>
  );
}

function placeholder(phase: string, running: boolean): string {
  if (running) return "Add something while it works…";
  switch (phase) {
    case "idle":
      return "Describe an animation…";
    case "clarify":
      return "Or answer in your own words…";
    case "plan":
      return "What should be different?";
    default:
      return "What should change?";
  }
}

function Connected({ assetId }: { assetId: string }) {
  const asset = useAsset(assetId);
  return (
    <span className={styles.chip} data-from="media" title={asset?.filename}>
      <Thumb assetId={assetId} />
      <span>{asset?.filename ?? "File"}</span>
    </span>
  );
}

interface AttachedProps {
  file: { owner: string; name: string; assetId: string | null };
  onRemove: () => void;
}

function Attached({ file, onRemove }: AttachedProps) {
  const upload = useUpload(file.owner);
  const failed = upload?.error;
  return (
    <span
      className={styles.chip}
      data-failed={failed ? true : undefined}
      title={failed?.message ?? file.name}
    >
      {file.assetId ? <Thumb assetId={file.assetId} /> : !failed && <Spinner size={12} />}
      <span>
        {file.name}
        {upload && !failed && ` ${Math.round(upload.progress * 100)} %`}
        {failed && `: ${failed.message}`}
      </span>
      <button type="button" aria-label={`Remove ${file.name}`} onClick={onRemove}>
        <X size={12} />
      </button>
    </span>
  );
}

function Thumb({ assetId }: { assetId: string }) {
  const asset = useAsset(assetId);
  switch (asset?.kind) {
    case "image":
      return <img src={api.assets.contentUrl(assetId)} alt="" loading="lazy" />;
    case "video":
      return <FileVideo size={12} />;
    case "audio":
      return <FileAudio size={12} />;
    case "font":
      return <Type size={12} />;
    default:
      return <FileImage size={12} />;
  }
}
