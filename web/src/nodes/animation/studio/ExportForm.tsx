/** What to export, and how. */

import { Film } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import type { Fps, RenderQuality, Resolution, Version } from "../../../api/types";
import { seconds } from "../../../session/words";
import { Button } from "../../../ui/Button";
import { Segmented } from "../../../ui/Segmented";
import { Select } from "../../../ui/Select";
import { Switch } from "../../../ui/Switch";
import { useSession } from "../context";
import type { LiveSession } from "../sessions";
import styles from "./ExportTab.module.css";
import {
  type ExportChoice,
  FORMATS,
  frameCount,
  hasAlpha,
  isPreset,
  markedRange,
  mostFps,
  outputFrames,
  PRESETS,
  possible,
  rangeProblem,
  ratesOf,
  settle,
  sizeOf,
  specOf,
} from "./export-spec";
import { Row } from "./Row";

const RESOLUTIONS: readonly Resolution[] = ["720p", "1080p", "4k"];
const QUALITIES: readonly { value: RenderQuality; label: string }[] = [
  { value: "draft", label: "Draft" },
  { value: "standard", label: "Standard" },
  { value: "high", label: "High" },
];

/** All of it, what is marked in the preview, or frames that are typed here. */
type Part = "all" | "marked" | "chosen";

interface ExportFormProps {
  live: LiveSession;
  versions: readonly Version[];
  newest: Version;
}

export function ExportForm({ live, versions, newest }: ExportFormProps) {
  const busy = useSession((data) => data.busy.render ?? false);
  const [versionId, setVersionId] = useState<string | null>(null);
  const version = versions.find((it) => it.id === versionId) ?? newest;
  const { settings } = version;
  const frames = frameCount(settings);
  const [wanted, setWanted] = useState<Part | null>(null);
  const [chosen, setChosen] = useState<ExportChoice>({
    format: "mp4",
    resolution: settings.resolution,
    fps: settings.fps,
    quality: "standard",
    transparent: false,
    range: null,
  });
  const set = (patch: Partial<ExportChoice>) => setChosen({ ...chosen, ...patch });
  const points = useStore(live.preview.player.state, (it) => it.points);
  const marked = markedRange(points, settings.fps, frames);
  // Who marked a part wants that part, as in other editors.
  const part = wanted === "marked" && !marked ? "all" : (wanted ?? (marked ? "marked" : "all"));
  const ranges = { all: null, marked, chosen: chosen.range ?? { start: 0, end: frames } };
  // What was chosen comes back with a format that can do it.
  const choice = { ...possible(chosen), range: ranges[part] };
  const size = sizeOf(settings.aspect, choice.resolution);
  const problem = rangeProblem(choice.range, frames);
  const count = problem ? 0 : outputFrames(choice, frames, settings.fps);
  const alpha = hasAlpha(choice.format);
  const here = useStore(live.preview.player.state, (it) => it.frame);
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem) void live.session.actions.render(specOf(settle(choice, frames), version.id));
      }}
    >
      <fieldset className={styles.presets}>
        <legend className="visually-hidden">Presets</legend>
        {PRESETS.map((preset) => (
          <button
            key={preset.label}
            type="button"
            aria-pressed={isPreset(choice, preset)}
            onClick={() => set(preset.choice)}
          >
            {preset.label}
          </button>
        ))}
      </fieldset>
      <Row label="Format" hint={FORMATS.find((it) => it.value === choice.format)?.about}>
        <Segmented
          label="Format"
          value={choice.format}
          onChange={(format) => set({ format })}
          segments={FORMATS}
        />
      </Row>
      <div className={styles.pair}>
        <Row label="Resolution">
          <Segmented
            label="Resolution"
            value={choice.resolution}
            onChange={(resolution) => set({ resolution })}
            segments={RESOLUTIONS.map((value) => ({ value, label: value === "4k" ? "4K" : value }))}
          />
        </Row>
        <Row label="Quality">
          <Segmented
            label="Quality"
            value={choice.quality}
            onChange={(quality) => set({ quality })}
            segments={QUALITIES}
          />
        </Row>
      </div>
      <div className={styles.pair}>
        <Row label="Frames per second" hint={rateHint(chosen, choice)}>
          <Select<Fps>
            label="Frames per second"
            value={choice.fps}
            onChange={(fps) => set({ fps })}
            options={ratesOf(choice.format).map((value) => ({
              value,
              label: value === settings.fps ? `${value} (as made)` : `${value}`,
            }))}
          />
        </Row>
        <Row label="Version">
          <Select<string>
            label="Version"
            value={version.id}
            onChange={setVersionId}
            options={versions.toReversed().map((it) => ({
              value: it.id,
              label: it.id === newest.id ? `v${it.number} (newest)` : `v${it.number}`,
              detail: it.summary,
            }))}
          />
        </Row>
      </div>
      <div className={styles.toggle}>
        <span>
          Transparent background
          {!alpha && (
            <small>{choice.format.toUpperCase()} has none; choose WebM, MOV or PNG.</small>
          )}
        </span>
        <Switch
          label="Transparent background"
          checked={choice.transparent}
          disabled={!alpha}
          onChange={(transparent) => set({ transparent })}
        />
      </div>
      <Row label="Part" hint={partHint(part, marked)}>
        <Segmented<Part>
          label="Part"
          value={part}
          onChange={setWanted}
          segments={[
            { value: "all", label: "All of it" },
            { value: "marked", label: "Only from in to out", disabled: !marked },
            { value: "chosen", label: "Frames…" },
          ]}
        />
      </Row>
      {part === "chosen" && (
        <div className={styles.range}>
          <FrameInput
            label="First frame"
            value={ranges.chosen.start}
            max={frames - 1}
            here={here}
            onChange={(start) => set({ range: { ...ranges.chosen, start } })}
          />
          <FrameInput
            label="Last frame"
            value={ranges.chosen.end - 1}
            max={frames - 1}
            here={here}
            onChange={(last) => set({ range: { ...ranges.chosen, end: last + 1 } })}
          />
        </div>
      )}
      {problem && (
        <p className={styles.wrong} role="alert">
          {problem}
        </p>
      )}
      <footer className={styles.foot}>
        <span className={styles.quiet}>
          {size.width} × {size.height} · {count} frames · {seconds(count / choice.fps)}
        </span>
        <Button type="submit" variant="primary" icon={<Film />} loading={busy} disabled={!!problem}>
          Export
        </Button>
      </footer>
    </form>
  );
}

function rateHint(chosen: ExportChoice, choice: ExportChoice): string | undefined {
  const { format } = choice;
  return choice.fps < chosen.fps
    ? `${format.toUpperCase()} has at most ${mostFps(format)}, so ${chosen.fps} becomes ${choice.fps}.`
    : undefined;
}

function partHint(part: Part, marked: ExportChoice["range"]): string | undefined {
  if (!marked) return "Mark a part in the preview with I and O to export only that.";
  return part === "marked"
    ? `Frames ${marked.start} to ${marked.end - 1}, as marked in the preview.`
    : undefined;
}

interface FrameInputProps {
  label: string;
  value: number;
  max: number;
  /** The frame that the preview shows. */
  here: number;
  onChange: (value: number) => void;
}

function FrameInput({ label, value, max, here, onChange }: FrameInputProps) {
  return (
    <label className={styles.frame}>
      <span>{label}</span>
      <span className={styles.frameRow}>
        <input
          type="number"
          min={0}
          max={max}
          step={1}
          value={Number.isFinite(value) ? value : ""}
          onChange={(event) => onChange(event.target.valueAsNumber)}
        />
        <Button size="sm" variant="ghost" onClick={() => onChange(Math.min(here, max))}>
          Here
        </Button>
      </span>
    </label>
  );
}
