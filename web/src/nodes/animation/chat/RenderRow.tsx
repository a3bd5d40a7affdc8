/** An export in the conversation: a line, with its file once there is one. */

import { CircleAlert, Clapperboard, Download } from "lucide-react";
import { memo } from "react";
import { api } from "../../../api/client";
import type { Render } from "../../../api/types";
import { clock } from "../../../session/words";
import { Button } from "../../../ui/Button";
import { formatBytes } from "../../../ui/format";
import { Progress } from "../../../ui/Progress";
import { Spinner } from "../../../ui/Spinner";
import { useAnimation, useView } from "../context";
import styles from "./RenderRow.module.css";

const STAGES: Record<string, string> = {
  start: "Starting",
  capture: "Drawing frames",
  encode: "Encoding",
  verify: "Checking the file",
  upload: "Storing the file",
};

/** `Drawing frames · 60 / 195 · 41 fps · 0:03 left`. */
export function progressText(render: Render): string {
  const { progress } = render;
  if (render.cancel_requested && render.status !== "cancelled") return "Cancelling";
  if (render.status === "queued") return "Waiting for its turn";
  if (!progress) return render.attempts > 1 ? "Starting again" : "Starting";
  const parts = [STAGES[progress.stage] ?? progress.stage];
  if (progress.total > 0 && progress.stage === "capture")
    parts.push(`${progress.frame} / ${progress.total}`);
  if (progress.fps > 0 && progress.stage === "capture")
    parts.push(`${progress.fps.toFixed(progress.fps < 10 ? 1 : 0)} fps`);
  if (progress.seconds_left !== null) parts.push(`${clock(Math.ceil(progress.seconds_left))} left`);
  return parts.join(" · ");
}

export const progressShare = ({ progress }: Render): number | undefined =>
  // What comes after the frames has no measure.
  progress && progress.total > 0 && progress.stage === "capture"
    ? progress.frame / progress.total
    : undefined;

export const describeRender = ({ spec, size, fps }: Render): string =>
  `${spec.format === "png" ? "PNG frames" : spec.format.toUpperCase()} · ${size.width} × ${size.height} · ${fps} fps`;

export const RenderRow = memo(function RenderRow({ id }: { id: string }) {
  const { live, openStudio } = useAnimation();
  const render = useView((view) => view.renders.find((it) => it.id === id));
  if (!render || !live) return null;
  const moves = render.status === "queued" || render.status === "running";
  return (
    <div className={styles.row} data-status={render.status}>
      {moves ? (
        <Spinner size={14} />
      ) : render.status === "failed" ? (
        <CircleAlert size={14} />
      ) : (
        <Clapperboard size={14} />
      )}
      <div className={styles.grow}>
        <p className={styles.title}>{describeRender(render)}</p>
        <p className={styles.quiet}>
          {moves && progressText(render)}
          {render.status === "cancelled" && "Cancelled"}
          {render.status === "failed" && render.failure?.message}
          {render.output &&
            `${formatBytes(render.output.bytes)} · ${clock(render.output.duration_seconds)}${
              render.output.capture === "remotion" ? " · by Remotion's renderer" : ""
            }`}
        </p>
        {moves && (
          <Progress label="Export" value={progressShare(render)} className={styles.bar ?? ""} />
        )}
      </div>
      {render.status === "ready" ? (
        <a
          className={styles.link}
          href={api.renders.fileUrl(live.session.id, render.id, true)}
          download
        >
          <Download size={14} /> Download
        </a>
      ) : (
        <Button size="sm" variant="ghost" onClick={() => openStudio("export")}>
          Details
        </Button>
      )}
    </div>
  );
});
