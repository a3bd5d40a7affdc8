/** A plan: read, edited in place, approved or rejected. */

import { ArrowDown, ArrowUp, Check, Pencil, Plus, Trash2, X } from "lucide-react";
import { type KeyboardEvent, memo, useEffect, useRef, useState } from "react";
import type { Plan } from "../../../api/types";
import { isField } from "../../../canvas/keys";
import type { PlanItem } from "../../../session/view";
import { ENGINE_NAMES, seconds } from "../../../session/words";
import { Badge } from "../../../ui/Badge";
import { Button, IconButton } from "../../../ui/Button";
import { cx } from "../../../ui/cx";
import { Kbd } from "../../../ui/Kbd";
import { useAnimation, useSession } from "../context";
import styles from "./PlanCard.module.css";
import {
  addScene,
  isEdited,
  MAX_SCENES,
  moveScene,
  problems,
  removeScene,
  setScene,
  totalSeconds,
} from "./plan-edit";

const STATES = {
  approved: { tone: "success", label: "Approved" },
  edited: { tone: "success", label: "Approved with edits" },
  rejected: { tone: "neutral", label: "Rejected" },
  superseded: { tone: "neutral", label: "Replaced by a newer plan" },
} as const;

export const PlanCard = memo(function PlanCard({ item }: { item: PlanItem }) {
  const open = item.status === "open";
  const [unfolded, setUnfolded] = useState(false);
  if (open) return <OpenPlan item={item} />;
  const state = STATES[item.status as keyof typeof STATES];
  return (
    <section className={styles.card} data-open={false} aria-label={`Plan: ${item.plan.title}`}>
      <button
        type="button"
        className={cx(styles.closed, "nodrag")}
        aria-expanded={unfolded}
        onClick={() => setUnfolded(!unfolded)}
      >
        <span className={styles.closedTitle}>{item.plan.title}</span>
        <span className={styles.quiet}>
          {item.plan.scenes.length} scenes · {seconds(totalSeconds(item.plan))}
        </span>
        <Badge tone={state.tone}>{item.by === "auto" ? "Approved by itself" : state.label}</Badge>
      </button>
      {item.reason && <p className={styles.reason}>“{item.reason}”</p>}
      {unfolded && <Body plan={item.plan} />}
    </section>
  );
});

function OpenPlan({ item }: { item: PlanItem }) {
  const { live } = useAnimation();
  const busy = useSession((data) => data.busy.plan ?? false);
  const error = useSession((data) => data.errors.plan);
  const [edit, setEdit] = useState<Plan | null>(null);
  const plan = edit ?? item.plan;
  const edited = isEdited(item.plan, plan);
  const wrong = problems(plan);
  const bad = Object.keys(wrong).length > 0;
  const actions = live?.session.actions;
  const approve = () => {
    if (!bad && !busy) void actions?.approve(edited ? plan : undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      event.stopPropagation();
      approve();
    }
  };
  const latest = useRef(approve);
  latest.current = approve;
  // With one plan to decide on, the keys mean it wherever they are pressed.
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey)) return;
      if (event.defaultPrevented || isField(event.target)) return;
      if (document.querySelectorAll("[data-open-plan]").length === 1) latest.current();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <section
      className={cx(styles.card, "nodrag nopan")}
      data-open
      data-open-plan
      aria-label={`Plan: ${plan.title}`}
      onKeyDown={onKeyDown}
    >
      <header className={styles.head}>
        <div className={styles.grow}>
          <h3 className={styles.title}>{plan.title}</h3>
          <p className={styles.quiet}>
            {ENGINE_NAMES[plan.engine]} · {plan.scenes.length}{" "}
            {plan.scenes.length === 1 ? "scene" : "scenes"} ·{" "}
            <span className={wrong.scenes ? styles.wrong : undefined}>{total(plan)}</span>
            {plan.settings.aspect && ` · ${plan.settings.aspect}`}
          </p>
        </div>
        <Button
          size="sm"
          variant="ghost"
          icon={edit ? <X /> : <Pencil />}
          onClick={() => setEdit(edit ? null : item.plan)}
        >
          {edit ? (edited ? "Undo edits" : "Done") : "Edit"}
        </Button>
      </header>
      <Body plan={plan} {...(edit ? { wrong, onChange: setEdit } : {})} />
      {wrong.scenes && (
        <p className={styles.error} role="alert">
          {wrong.scenes}
        </p>
      )}
      {error && (
        <p className={styles.error} role="alert">
          {error.message} {error.details.map((it) => it.message).join(" ")}
        </p>
      )}
      <footer className={styles.foot}>
        <Button
          variant="primary"
          icon={<Check />}
          loading={busy}
          disabled={bad}
          onClick={approve}
          title="Ctrl or Command and Enter"
        >
          {edited ? "Approve with edits" : "Approve"}
          <span className={styles.keys}>
            <Kbd keys="mod+enter" plain />
          </span>
        </Button>
        <Button variant="ghost" disabled={busy} onClick={() => void actions?.reject()}>
          Reject
        </Button>
        <span className={styles.tip}>or write what to change</span>
      </footer>
    </section>
  );
}

const total = (plan: Plan) => {
  const sum = totalSeconds(plan);
  return Number.isFinite(sum) ? seconds(sum) : "–";
};

interface BodyProps {
  plan: Plan;
  wrong?: Record<string, string>;
  onChange?: (plan: Plan) => void;
}

function Body({ plan, wrong = {}, onChange }: BodyProps) {
  const { colors, fonts, mood } = plan.design;
  const swatches = Object.entries(colors).filter((it): it is [string, string] => Boolean(it[1]));
  const families = [...new Set([fonts.title, fonts.body].filter(Boolean))];
  return (
    <>
      {plan.summary && <p className={styles.summary}>{plan.summary}</p>}
      <Timeline plan={plan} />
      {onChange ? (
        <SceneEditor plan={plan} wrong={wrong} onChange={onChange} />
      ) : (
        <ol className={styles.scenes}>
          {plan.scenes.map((scene, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: scenes have no names of their own
            <li key={n} className={styles.scene}>
              <span className={styles.index}>{n + 1}</span>
              <div className={styles.grow}>
                <p className={styles.sceneTitle}>{scene.title}</p>
                {scene.description && <p className={styles.quiet}>{scene.description}</p>}
              </div>
              <span className={styles.time}>{seconds(scene.duration_seconds)}</span>
            </li>
          ))}
        </ol>
      )}
      <div className={styles.design}>
        {swatches.length > 0 && (
          <span className={styles.swatches}>
            {swatches.map(([role, color]) => (
              <span
                key={role}
                className={styles.swatch}
                style={{ background: color }}
                title={`${role} ${color}`}
                role="img"
                aria-label={`${role} ${color}`}
              />
            ))}
          </span>
        )}
        {families.length > 0 && <span>{families.join(" + ")}</span>}
        {mood && <span className={styles.mood}>{mood}</span>}
      </div>
      {plan.assumptions.length > 0 && (
        <div className={styles.assumptions}>
          <p>Taken for granted</p>
          <ul>
            {plan.assumptions.map((it) => (
              <li key={it}>{it}</li>
            ))}
          </ul>
        </div>
      )}
      {plan.engine === "remotion" && (
        <p className={styles.licence}>
          Remotion is free for individuals and small companies; larger companies need a licence.{" "}
          <a href="https://www.remotion.dev/license" target="_blank" rel="noreferrer noopener">
            Terms
          </a>
        </p>
      )}
    </>
  );
}

/** Scenes as shares of the whole. */
function Timeline({ plan }: { plan: Plan }) {
  return (
    <div className={styles.timeline} aria-hidden>
      {plan.scenes.map((scene, n) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: scenes have no names of their own
          key={n}
          style={{ flexGrow: Math.max(0.1, scene.duration_seconds || 0) }}
          title={scene.title}
        />
      ))}
    </div>
  );
}

function SceneEditor({ plan, wrong, onChange }: Required<BodyProps>) {
  return (
    <ol className={styles.scenes}>
      {plan.scenes.map((scene, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: scenes have no names of their own
        <li key={n} className={cx(styles.scene, styles.editing)}>
          <div className={styles.fields}>
            <div className={styles.row}>
              <input
                className={styles.field}
                aria-label={`Title of scene ${n + 1}`}
                aria-invalid={wrong[`scenes.${n}.title`] ? true : undefined}
                value={scene.title}
                maxLength={120}
                onChange={(event) => onChange(setScene(plan, n, { title: event.target.value }))}
              />
              <span className={styles.seconds}>
                <input
                  className={styles.field}
                  type="number"
                  min={0.1}
                  max={120}
                  step={0.5}
                  aria-label={`Seconds of scene ${n + 1}`}
                  aria-invalid={wrong[`scenes.${n}.duration_seconds`] ? true : undefined}
                  value={Number.isFinite(scene.duration_seconds) ? scene.duration_seconds : ""}
                  onChange={(event) =>
                    onChange(setScene(plan, n, { duration_seconds: event.target.valueAsNumber }))
                  }
                />
                s
              </span>
            </div>
            <textarea
              className={cx(styles.field, "nowheel")}
              aria-label={`What is seen in scene ${n + 1}`}
              rows={2}
              maxLength={2000}
              value={scene.description}
              placeholder="What is seen"
              onChange={(event) => onChange(setScene(plan, n, { description: event.target.value }))}
            />
          </div>
          <div className={styles.tools}>
            <IconButton
              size="sm"
              label={`Move scene ${n + 1} up`}
              disabled={n === 0}
              onClick={() => onChange(moveScene(plan, n, n - 1))}
            >
              <ArrowUp />
            </IconButton>
            <IconButton
              size="sm"
              label={`Move scene ${n + 1} down`}
              disabled={n === plan.scenes.length - 1}
              onClick={() => onChange(moveScene(plan, n, n + 1))}
            >
              <ArrowDown />
            </IconButton>
            <IconButton
              size="sm"
              label={`Remove scene ${n + 1}`}
              disabled={plan.scenes.length === 1}
              onClick={() => onChange(removeScene(plan, n))}
            >
              <Trash2 />
            </IconButton>
          </div>
        </li>
      ))}
      <li>
        <Button
          size="sm"
          variant="ghost"
          icon={<Plus />}
          disabled={plan.scenes.length >= MAX_SCENES}
          onClick={() => onChange(addScene(plan, plan.scenes.length - 1))}
        >
          Add a scene
        </Button>
      </li>
    </ol>
  );
}
