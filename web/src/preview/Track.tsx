/** Where the playhead is, where scenes begin, and the part that is marked. */

import type { CSSProperties, KeyboardEvent, PointerEvent } from "react";
import { useRef } from "react";
import { useStore } from "zustand";
import { cx } from "../ui/cx";
import { type Player, timecode } from "./player";
import { isMarked, type Point, partOf } from "./points";
import styles from "./Track.module.css";

export interface Mark {
  frame: number;
  title: string;
}

interface TrackProps {
  player: Player;
  /** Where scenes begin. */
  marks: readonly Mark[];
  /** The points are shown, and cannot be taken hold of: in a small track they would be in the playhead's way. */
  compact: boolean;
}

export function Track({ player, marks, compact }: TrackProps) {
  const { info, frame, points } = useStore(player.state);
  const track = useRef<HTMLDivElement>(null);
  const total = info?.durationInFrames ?? 1;
  const last = Math.max(1, total - 1);
  const fps = info?.fps ?? 30;
  const off = info === null;
  const scene = marks.findLast((mark) => mark.frame <= frame);
  const share = (at: number) => `${(at / last) * 100}%`;
  const marked = !off && isMarked(points);
  const part = partOf(points, total);
  const place = {
    "--at": share(frame),
    "--in": share(marked ? part.first : 0),
    "--out": share(marked ? part.last : last),
  } as CSSProperties;
  /** The frame at a place on the screen. */
  const frameAt = (x: number): number => {
    const box = track.current?.getBoundingClientRect();
    return box?.width ? Math.round(((x - box.left) / box.width) * last) : 0;
  };
  return (
    <div
      ref={track}
      className={cx(styles.track, compact && styles.compact)}
      style={place}
      data-off={off || undefined}
      data-marked={marked || undefined}
    >
      {marked && <span className={styles.part} />}
      {marks.map(
        (mark) =>
          mark.frame > 0 &&
          mark.frame < last && (
            <span key={mark.frame} className={styles.mark} style={{ left: share(mark.frame) }} />
          ),
      )}
      <input
        type="range"
        className={styles.range}
        aria-label="Frame"
        aria-valuetext={`Frame ${frame} of ${total}, ${(frame / fps).toFixed(2)} seconds${scene ? `, ${scene.title}` : ""}`}
        min={0}
        max={last}
        step={1}
        value={Math.min(frame, last)}
        disabled={off}
        title={scene?.title}
        onChange={(event) => player.seek(Number(event.target.value))}
      />
      {marked &&
        (["in", "out"] as const).map(
          (point) =>
            points[point] !== null &&
            (compact ? (
              <span key={point} className={styles.point} data-point={point} />
            ) : (
              <Handle
                key={point}
                player={player}
                point={point}
                at={points[point]}
                other={points[point === "in" ? "out" : "in"]}
                last={last}
                fps={fps}
                frameAt={frameAt}
              />
            )),
        )}
    </div>
  );
}

interface HandleProps {
  player: Player;
  point: Point;
  at: number;
  other: number | null;
  last: number;
  fps: number;
  frameAt: (x: number) => number;
}

/** An in or out point to take hold of. The picture follows it. */
function Handle({ player, point, at, other, last, fps, frameAt }: HandleProps) {
  // It stops at the other one, so that a drag does not take that away.
  const [min, max] = point === "in" ? [0, other ?? last] : [other ?? 0, last];
  const move = (frame: number) => {
    const to = Math.min(Math.max(frame, min), max);
    player.mark(point, to);
    player.seek(to);
  };
  const remove = () => player.mark(point, null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 10 : 1;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => move(at - step),
      ArrowDown: () => move(at - step),
      ArrowRight: () => move(at + step),
      ArrowUp: () => move(at + step),
      Home: () => move(min),
      End: () => move(max),
      Delete: remove,
      Backspace: remove,
    };
    const act = moves[event.key];
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  };
  const held = (event: PointerEvent) => event.currentTarget.hasPointerCapture(event.pointerId);
  return (
    <div
      role="slider"
      tabIndex={0}
      className={styles.point}
      data-point={point}
      title={`${point === "in" ? "In" : "Out"} point: drag to move, double-click to remove`}
      aria-label={point === "in" ? "In point" : "Out point"}
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuenow={at}
      aria-valuetext={`Frame ${at}, ${timecode(at, fps)}`}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => held(event) && move(frameAt(event.clientX))}
      onDoubleClick={(event) => {
        event.stopPropagation();
        remove();
      }}
      onKeyDown={onKeyDown}
    />
  );
}
