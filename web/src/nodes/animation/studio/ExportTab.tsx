/** Videos of the animation: asked for, on their way, and done. */

import { Clapperboard, Download, Film, Trash2, X } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import { api } from "../../../api/client";
import type { Fps, Render, RenderQuality, Resolution, Version } from "../../../api/types";
import { clock, seconds } from "../../../session/words";
import { Badge } from "../../../ui/Badge";
import { Button, IconButton } from "../../../ui/Button";
import { EmptyState } from "../../../ui/EmptyState";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { formatAgo, formatBytes } from "../../../ui/format";
import { Progress } from "../../../ui/Progress";
import { Segmented } from "../../../ui/Segmented";
import { Select } from "../../../ui/Select";
import { Switch } from "../../../ui/Switch";
import { Tooltip } from "../../../ui/Tooltip";
import { describeRender, progressShare, progressText } from "../chat/RenderRow";
import { useAnimation, useSession, useView } from "../context";
import type { LiveSession } from "../sessions";
import styles from "./ExportTab.module.css";
import {
  type ExportChoice,
  FORMATS,
  frameCount,
  hasAlpha,
  isPreset,
  outputFrames,
  PRESETS,
  rangeProblem,
  settle,
  sizeOf,
  specOf,
} from "./export-spec";
import { Row } from "./Row";

const RESOLUTIONS: readonly Resolution[] = ["720p", "1080p", "4k"];
const RATES: readonly Fps[] = [24, 25, 30, 50, 60];
const QUALITIES: readonly { value: RenderQuality; label: string }[] = [
  { value: "draft", label: "Draft" },
  { value: "standard", label: "Standard" },
  { value: "high", label: "High" },
];

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
      <Form live={live} versions={versions} newest={newest} />
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

function Form({ live, versions, newest }: ExportsProps) {
  const busy = useSession((data) => data.busy.render ?? false);
  const [versionId, setVersionId] = useState<string | null>(null);
  const version = versions.find((it) => it.id === versionId) ?? newest;
  const { settings } = version;
  const frames = frameCount(settings);
  const [choice, setChoice] = useState<ExportChoice>({
    format: "mp4",
    resolution: settings.resolution,
    fps: settings.fps,
    quality: "standard",
    transparent: false,
    range: null,
  });
  const set = (patch: Partial<ExportChoice>) => {
    const next = { ...choice, ...patch };
    setChoice({ ...next, transparent: next.transparent && hasAlpha(next.format) });
  };
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
        <Row label="Frames per second">
          <Select<Fps>
            label="Frames per second"
            value={choice.fps}
            onChange={(fps) => set({ fps })}
            options={RATES.map((value) => ({
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
      <div className={styles.toggle}>
        <span>
          Only a part
          {choice.range && problem && <small className={styles.wrong}>{problem}</small>}
        </span>
        <Switch
          label="Only a part"
          checked={choice.range !== null}
          onChange={(on) => set({ range: on ? { start: 0, end: frames } : null })}
        />
      </div>
      {choice.range && (
        <div className={styles.range}>
          <FrameInput
            label="First frame"
            value={choice.range.start}
            max={frames - 1}
            here={here}
            onChange={(start) => choice.range && set({ range: { ...choice.range, start } })}
          />
          <FrameInput
            label="Last frame"
            value={choice.range.end - 1}
            max={frames - 1}
            here={here}
            onChange={(last) => choice.range && set({ range: { ...choice.range, end: last + 1 } })}
          />
        </div>
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
