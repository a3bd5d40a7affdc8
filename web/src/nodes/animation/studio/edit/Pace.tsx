import { useEffect, useState } from "react";
import type { Design, DesignPatch, Plan, Timing } from "../../../../api/types";
import { filmSeconds } from "../../../../session/timing";
import { seconds } from "../../../../session/words";
import { ErrorNotice } from "../../../../ui/ErrorNotice";
import { Select } from "../../../../ui/Select";
import { Slider } from "../../../../ui/Slider";
import { useAnimation, useSession, useView } from "../../context";
import { Row } from "../Row";
import styles from "./EditTab.module.css";
import { useEdited } from "./useEdited";

const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
const LONGEST_HOLD = 30;

interface PaceProps {
  disabled: boolean;
  /** `null` where it cannot be read. */
  design: Design | null;
  onChange: (patch: DesignPatch) => void;
}

/** How fast each scene is played, and how long the last picture stays. */
export function Pace({ disabled, design, onChange }: PaceProps) {
  const { patch } = useAnimation();
  const settings = useView((view) => view.settings);
  const plan = useView((view) => view.approved);
  const error = useSession((data) => data.errors.settings);
  const { timing } = settings;
  const set = (change: Partial<Timing>) => void patch({ timing: { ...timing, ...change } });
  const own = (design as Record<string, unknown> | null)?.speed;
  return (
    <section className={styles.section} aria-label="Pace">
      <h3>Pace</h3>
      {error && <ErrorNotice title="This pace was not taken" error={error} />}
      {plan && (
        <Scenes
          plan={plan}
          timing={timing}
          disabled={disabled}
          onChange={(stretches) => set({ stretches })}
        />
      )}
      <Held
        value={timing.hold_seconds}
        disabled={disabled}
        onChange={(hold_seconds) => set({ hold_seconds })}
      />
      {typeof own === "number" && (
        <Movement value={own} disabled={disabled} onChange={(speed) => onChange({ speed })} />
      )}
      <p className={styles.quiet}>
        The film lasts {seconds(filmSeconds(settings))}. Its format is under Settings.
      </p>
    </section>
  );
}

interface ScenesProps {
  plan: Plan;
  timing: Timing;
  disabled: boolean;
  onChange: (stretches: Timing["stretches"]) => void;
}

function Scenes({ plan, timing, disabled, onChange }: ScenesProps) {
  const stretches = plan.scenes.map((scene, n) => ({
    seconds: scene.duration_seconds,
    speed: timing.stretches[n]?.speed ?? 1,
  }));
  return (
    <ol className={styles.scenes}>
      {plan.scenes.map((scene, n) => {
        const speed = stretches[n]?.speed ?? 1;
        const choices = SPEEDS.includes(speed)
          ? SPEEDS
          : [...SPEEDS, speed].toSorted((a, b) => a - b);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a scene is its place
          <li key={n}>
            <span className={styles.scene}>{scene.title}</span>
            <Select
              size="sm"
              label={`Speed of ${scene.title}`}
              value={speed}
              disabled={disabled}
              onChange={(next) =>
                onChange(stretches.map((it, at) => (at === n ? { ...it, speed: next } : it)))
              }
              options={choices.map((value) => ({ value, label: `${value}×` }))}
            />
          </li>
        );
      })}
    </ol>
  );
}

interface HeldProps {
  value: number;
  disabled: boolean;
  onChange: (seconds: number) => void;
}

function Held({ value, disabled, onChange }: HeldProps) {
  const { draft, setDraft, done, reset } = useEdited(value, (typed) => {
    const next = Math.min(LONGEST_HOLD, Math.max(0, Math.round(typed * 100) / 100));
    if (!Number.isFinite(next) || next === value) reset();
    else onChange(next);
  });
  return (
    <Row label="Hold the last frame">
      <span className={styles.held}>
        <input
          type="number"
          aria-label="Hold the last frame, in seconds"
          min={0}
          max={LONGEST_HOLD}
          step={0.5}
          disabled={disabled}
          value={Number.isFinite(draft) ? draft : ""}
          onChange={(event) => setDraft(event.target.valueAsNumber)}
          onBlur={done}
          onKeyDown={(event) => event.key === "Enter" && done()}
        />
        seconds
      </span>
    </Row>
  );
}

function Movement({ value, disabled, onChange }: HeldProps) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  return (
    <Row
      label="Pace of what drifts"
      hint={`${draft}×: of movement that is not tied to the length.`}
    >
      <Slider
        label="Pace of what drifts"
        min={0.1}
        max={3}
        step={0.1}
        disabled={disabled}
        value={Math.min(3, Math.max(0.1, draft))}
        onChange={(next) => setDraft(Math.round(next * 10) / 10)}
        onCommit={(next) => onChange(Math.round(next * 10) / 10)}
        format={(it) => `${it} times`}
      />
    </Row>
  );
}
