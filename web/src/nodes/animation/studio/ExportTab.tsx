/** Videos of the animation: asked for, on their way, and done. */

import { Clapperboard, Download, Film, Trash2, X } from "lucide-react";
import { api } from "../../../api/client";
import type { Render, Version } from "../../../api/types";
import { clock, seconds } from "../../../session/words";
import { Badge } from "../../../ui/Badge";
import { Button, IconButton } from "../../../ui/Button";
import { EmptyState } from "../../../ui/EmptyState";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { formatAgo, formatBytes } from "../../../ui/format";
import { Progress } from "../../../ui/Progress";
import { Tooltip } from "../../../ui/Tooltip";
import { describeRender, progressShare, progressText } from "../chat/RenderRow";
import { useAnimation, useSession, useView } from "../context";
import type { LiveSession } from "../sessions";
import { ExportForm } from "./ExportForm";
import styles from "./ExportTab.module.css";

export default function ExportTab() {
  const { live } = useAnimation();
  const versions = useView((view) => view.versions);
  const newest = versions.at(-1);
  if (!live || !newest) {
    return (
      <EmptyState icon={<Film />} title="Nothing to export yet">
        A video can be made as soon as there is a first version.
      </EmptyState>
    );
  }
  return <Exports live={live} versions={versions} newest={newest} />;
}

interface ExportsProps {
  live: LiveSession;
  versions: readonly Version[];
  newest: Version;
}

function Exports({ live, versions, newest }: ExportsProps) {
  const renders = useView((view) => view.renders);
  const error = useSession((data) => data.errors.render);
  return (
    <div className={styles.root}>
      <ExportForm live={live} versions={versions} newest={newest} />
      {error && <ErrorNotice title="The export could not be changed or started" error={error} />}
      {renders.length > 0 && (
        <section aria-label="Exports" className={styles.list}>
          {renders.toReversed().map((render) => (
            <Job
              key={render.id}
              render={render}
              live={live}
              number={versions.find((it) => it.id === render.version_id)?.number ?? null}
            />
          ))}
        </section>
      )}
    </div>
  );
}

function Job({
  render,
  live,
  number,
}: {
  render: Render;
  live: LiveSession;
  number: number | null;
}) {
  const { actions, id } = live.session;
  const moves = render.status === "queued" || render.status === "running";
  const { output, spec } = render;
  return (
    <article className={styles.job} data-status={render.status}>
      <header className={styles.jobHead}>
        <Clapperboard size={14} />
        <div className={styles.grow}>
          <p className={styles.jobTitle}>{describeRender(render)}</p>
          <p className={styles.quiet}>
            {number !== null && `v${number} · `}
            {spec.quality}
            {spec.transparent && " · transparent"}
            {spec.range && ` · frames ${spec.range.start}–${spec.range.end - 1}`}
            {" · "}
            {formatAgo(render.created_at)}
          </p>
        </div>
        {render.status === "failed" && <Badge tone="danger">Failed</Badge>}
        {render.status === "cancelled" && <Badge>Cancelled</Badge>}
        {moves ? (
          <Button
            size="sm"
            variant="ghost"
            icon={<X />}
            disabled={render.cancel_requested}
            onClick={() => void actions.cancelRender(render.id)}
          >
            Cancel
          </Button>
        ) : (
          <Tooltip label="Delete">
            <IconButton
              label="Delete export"
              size="sm"
              onClick={() => void actions.deleteRender(render.id)}
            >
              <Trash2 />
            </IconButton>
          </Tooltip>
        )}
      </header>
      {moves && (
        <div className={styles.progress} role="status">
          <Progress label="Export" value={progressShare(render)} />
          <p className={styles.quiet}>{progressText(render)}</p>
        </div>
      )}
      {render.failure && (
        <div className={styles.failure}>
          <p>
            {render.failure.message}
            {render.failure.frame !== null && ` At frame ${render.failure.frame}.`}
          </p>
          <Button size="sm" onClick={() => void actions.render(spec)}>
            Try again
          </Button>
        </div>
      )}
      {output && (
        <>
          <Player render={render} sessionId={id} />
          {output.capture === "remotion" && (
            <p className={styles.quiet}>
              Drawn by Remotion's own renderer, which takes longer: {output.because}.
            </p>
          )}
          <div className={styles.done}>
            <span className={styles.quiet}>
              {formatBytes(output.bytes)} · {clock(output.duration_seconds)} · {output.frames}{" "}
              frames · made in {seconds(output.seconds)}
            </span>
            <a className={styles.download} href={api.renders.fileUrl(id, render.id, true)} download>
              <Download size={14} /> Download
            </a>
          </div>
        </>
      )}
    </article>
  );
}

/** Browsers play MP4 and WebM, and show a GIF; of the others there is the poster. */
function Player({ render, sessionId }: { render: Render; sessionId: string }) {
  const poster = render.output?.poster ? api.renders.posterUrl(sessionId, render.id) : undefined;
  const file = api.renders.fileUrl(sessionId, render.id);
  const name = render.output?.filename ?? "export";
  switch (render.spec.format) {
    case "mp4":
    case "webm":
      return (
        // An animation without sound has no captions.
        // biome-ignore lint/a11y/useMediaCaption: see above
        <video
          className={styles.media}
          controls
          loop
          playsInline
          preload={poster ? "none" : "metadata"}
          poster={poster}
          src={file}
          aria-label={name}
        />
      );
    case "gif":
      return <img className={styles.media} src={file} alt={name} loading="lazy" />;
    default:
      return poster ? (
        <img className={styles.media} src={poster} alt={name} loading="lazy" />
      ) : null;
  }
}
