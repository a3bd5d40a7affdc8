/** Play, scrub to an exact frame, mark a part, loop, speed, sound, guides, full screen. */

import {
  ChevronFirst,
  ChevronLast,
  Gauge,
  Maximize,
  Minimize,
  Pause,
  Play,
  Repeat,
  StepBack,
  StepForward,
  X,
} from "lucide-react";
import { type ReactNode, useState } from "react";
import { useStore } from "zustand";
import type { Guide } from "../store/ui";
import { IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { Menu } from "../ui/Menu";
import { Tooltip } from "../ui/Tooltip";
import { GuidesMenu } from "./Guides";
import { type Player, RATES, timecode } from "./player";
import { isMarked, partOf } from "./points";
import { SoundControl } from "./SoundControl";
import { type Mark, Track } from "./Track";
import styles from "./Transport.module.css";

interface TransportProps {
  player: Player;
  /** Where scenes begin. */
  marks?: readonly Mark[];
  /** Guides that the picture has. */
  guides: readonly Guide[];
  fullscreen: boolean;
  onFullscreen: () => void;
  /** Fewer controls, for a small node. */
  compact?: boolean;
}

export function Transport({
  player,
  marks = [],
  guides,
  fullscreen,
  onFullscreen,
  compact = false,
}: TransportProps) {
  const off = useStore(player.state, (it) => it.info === null);
  const track = <Track player={player} marks={marks} compact={compact} />;
  const full = (
    <Control
      label={fullscreen ? "Leave full screen" : "Full screen"}
      shortcut="f"
      disabled={off}
      onClick={onFullscreen}
    >
      {fullscreen ? <Minimize /> : <Maximize />}
    </Control>
  );
  if (compact) {
    return (
      <div className={cx(styles.bar, styles.compact, "nodrag nopan nowheel")}>
        <PlayButton player={player} />
        {track}
        <Time player={player} />
        <Loop player={player} />
        <SoundControl player={player} compact />
        {full}
      </div>
    );
  }
  return (
    <div className={cx(styles.bar, "nodrag nopan nowheel")}>
      {track}
      <div className={styles.controls}>
        <div className={styles.group}>
          <Time player={player} />
        </div>
        <div className={styles.group}>
          <Steps player={player} />
        </div>
        <div className={styles.group}>
          <PointButtons player={player} />
          <span className={styles.gap} />
          <Loop player={player} />
          <Speed player={player} />
          <SoundControl player={player} />
          <GuidesMenu guides={guides} disabled={off} />
          {full}
        </div>
      </div>
    </div>
  );
}

interface ControlProps {
  label: string;
  /** Said by the tooltip in place of the name. */
  hint?: string;
  shortcut?: string;
  active?: boolean;
  disabled: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Control({ label, hint = label, shortcut, children, ...rest }: ControlProps) {
  return (
    <Tooltip label={hint} side="top" {...(shortcut ? { shortcut } : {})}>
      <IconButton label={label} size="sm" {...rest}>
        {children}
      </IconButton>
    </Tooltip>
  );
}

interface PartProps {
  player: Player;
}

function PlayButton({ player }: PartProps) {
  const playing = useStore(player.state, (it) => it.playing);
  const off = useStore(player.state, (it) => it.info === null);
  return (
    <Control
      label={playing ? "Pause" : "Play"}
      shortcut="space"
      disabled={off}
      onClick={() => player.toggle()}
    >
      {playing && !off ? <Pause /> : <Play />}
    </Control>
  );
}

function Steps({ player }: PartProps) {
  const info = useStore(player.state, (it) => it.info);
  const off = info === null;
  return (
    <>
      <Control label="First frame" shortcut="home" disabled={off} onClick={() => player.seek(0)}>
        <ChevronFirst />
      </Control>
      <Control label="Frame back" shortcut="left" disabled={off} onClick={() => player.step(-1)}>
        <StepBack />
      </Control>
      <PlayButton player={player} />
      <Control label="Frame forward" shortcut="right" disabled={off} onClick={() => player.step(1)}>
        <StepForward />
      </Control>
      <Control
        label="Last frame"
        shortcut="end"
        disabled={off}
        onClick={() => player.seek((info?.durationInFrames ?? 1) - 1)}
      >
        <ChevronLast />
      </Control>
    </>
  );
}

function PointButtons({ player }: PartProps) {
  const { info, frame, points } = useStore(player.state);
  const off = info === null;
  const marked = !off && isMarked(points);
  const part = partOf(points, info?.durationInFrames ?? 1);
  const frames = part.last - part.first + 1;
  return (
    <>
      {marked && (
        <span className={styles.part} title="Length of the part that is marked">
          {timecode(frames, points.fps)}
        </span>
      )}
      <Control
        label="Set the in point"
        shortcut="i"
        active={points.in !== null}
        disabled={off}
        onClick={() => player.mark("in", frame)}
      >
        <Bracket path="M15 4H9v16h6" />
      </Control>
      <Control
        label="Set the out point"
        shortcut="o"
        active={points.out !== null}
        disabled={off}
        onClick={() => player.mark("out", frame)}
      >
        <Bracket path="M9 4h6v16H9" />
      </Control>
      {marked && (
        <Control
          label="Clear in and out"
          shortcut="x"
          disabled={off}
          onClick={() => player.clearPoints()}
        >
          <X />
        </Control>
      )}
    </>
  );
}

const Bracket = ({ path }: { path: string }) => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden>
    <path d={path} />
  </svg>
);

function Time({ player }: PartProps) {
  const { info, frame } = useStore(player.state);
  const [asFrames, setAsFrames] = useState(false);
  const other = asFrames ? "Show time" : "Show frames";
  if (!info) {
    return (
      <button type="button" className={styles.time} disabled aria-label="Time">
        –
      </button>
    );
  }
  const { durationInFrames: total, fps } = info;
  return (
    <button
      type="button"
      className={styles.time}
      onClick={() => setAsFrames(!asFrames)}
      title={other}
      aria-label={`Frame ${frame} of ${total}. ${other}`}
    >
      {asFrames ? `${frame}` : timecode(frame, fps)}
      <span className={styles.total}>
        {asFrames ? ` / ${total - 1}` : ` / ${timecode(total, fps)}`}
      </span>
    </button>
  );
}

function Loop({ player }: PartProps) {
  const { info, loop } = useStore(player.state);
  return (
    <Control
      label="Loop"
      hint={loop ? "Loop: on" : "Loop: off"}
      active={loop}
      disabled={info === null}
      onClick={() => player.setLoop(!loop)}
    >
      <Repeat />
    </Control>
  );
}

function Speed({ player }: PartProps) {
  const { info, rate } = useStore(player.state);
  return (
    <Menu
      side="top"
      align="end"
      trigger={
        <button
          type="button"
          className={styles.rate}
          disabled={info === null}
          title="Speed"
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
  );
}
