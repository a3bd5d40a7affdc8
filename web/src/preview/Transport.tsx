/** Play, scrub to an exact frame, loop, speed, full screen. */

import { Gauge, Maximize, Minimize, Pause, Play, Repeat } from "lucide-react";
import { type CSSProperties, type KeyboardEvent, useState } from "react";
import { useStore } from "zustand";
import { IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { Menu } from "../ui/Menu";
import { Tooltip } from "../ui/Tooltip";
import { onPlayerKey, type Player, RATES, timecode } from "./player";
import styles from "./Transport.module.css";

export interface Mark {
  frame: number;
  title: string;
}

interface TransportProps {
  player: Player;
  /** Where scenes begin. */
  marks?: readonly Mark[];
  fullscreen: boolean;
  onFullscreen: () => void;
  /** Fewer controls, for a small node. */
  compact?: boolean;
}

/** Keys of the player for whatever has focus in an area; typing is left alone. */
export function playerKeys(player: Player) {
  return (event: KeyboardEvent<HTMLElement>) => {
    const { target } = event;
    const types =
      target instanceof HTMLElement &&
      (target.isContentEditable ||
        target.tagName === "TEXTAREA" ||
        (target instanceof HTMLInputElement && target.type !== "range"));
    const presses =
      target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter");
    if (types || presses || !onPlayerKey(player, event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
}

export function Transport({
  player,
  marks = [],
  fullscreen,
  onFullscreen,
  compact,
}: TransportProps) {
  const { info, frame, playing, loop, rate } = useStore(player.state);
  const [asFrames, setAsFrames] = useState(false);
  const total = info?.durationInFrames ?? 1;
  const last = Math.max(1, total - 1);
  const fps = info?.fps ?? 30;
  const off = info === null;
  const scene = marks.findLast((mark) => mark.frame <= frame);
  return (
    <div className={cx(styles.bar, "nodrag nopan nowheel")} data-off={off || undefined}>
      <Tooltip label={playing ? "Pause" : "Play"} shortcut="space" side="top">
        <IconButton
          label={playing ? "Pause" : "Play"}
          size="sm"
          disabled={off}
          onClick={() => player.toggle()}
        >
          {playing && !off ? <Pause /> : <Play />}
        </IconButton>
      </Tooltip>
      <div className={styles.track} style={{ "--at": `${(frame / last) * 100}%` } as CSSProperties}>
        {marks.map(
          (mark) =>
            mark.frame > 0 &&
            mark.frame < last && (
              <span
                key={mark.frame}
                className={styles.mark}
                style={{ left: `${(mark.frame / last) * 100}%` }}
              />
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
          onKeyDown={(event) => {
            if (onPlayerKey(player, event)) {
              event.preventDefault();
              event.stopPropagation();
            }
          }}
        />
      </div>
      <button
        type="button"
        className={styles.time}
        onClick={() => setAsFrames(!asFrames)}
        title={asFrames ? "Show time" : "Show frames"}
        aria-label={`Frame ${frame} of ${total}. ${asFrames ? "Show time" : "Show frames"}`}
        disabled={off}
      >
        {off ? "–" : asFrames ? `${frame}` : timecode(frame, fps)}
        <span className={styles.total}>
          {off ? "" : asFrames ? ` / ${total - 1}` : ` / ${timecode(total, fps)}`}
        </span>
      </button>
      <Tooltip label={loop ? "Loop: on" : "Loop: off"} side="top">
        <IconButton
          label="Loop"
          size="sm"
          active={loop}
          disabled={off}
          onClick={() => player.setLoop(!loop)}
        >
          <Repeat />
        </IconButton>
      </Tooltip>
      {!compact && (
        <Menu
          side="top"
          align="end"
          trigger={
            <button
              type="button"
              className={styles.rate}
              disabled={off}
              aria-label={`Speed: ${rate} times`}
            >
              {rate === 1 ? <Gauge size={14} /> : `${rate}×`}
            </button>
          }
          items={RATES.map((it) => ({
            label: it === 1 ? "Normal speed" : `${it}×`,
            checked: it === rate,
            onSelect: () => player.setRate(it),
          }))}
        />
      )}
      <Tooltip label={fullscreen ? "Leave full screen" : "Full screen"} side="top">
        <IconButton
          label={fullscreen ? "Leave full screen" : "Full screen"}
          size="sm"
          disabled={off}
          onClick={onFullscreen}
        >
          {fullscreen ? <Minimize /> : <Maximize />}
        </IconButton>
      </Tooltip>
    </div>
  );
}
