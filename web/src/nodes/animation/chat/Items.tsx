/** Entries of the conversation, one component each. */

import {
  Check,
  ChevronRight,
  CircleAlert,
  Eye,
  Film,
  Paperclip,
  RotateCcw,
  Sparkles,
  Square,
  Type,
  X,
} from "lucide-react";
import { memo, type ReactNode, useState } from "react";
import { api } from "../../../api/client";
import type { Diagnostic } from "../../../api/types";
import type { PendingMessage } from "../../../session/store";
import type {
  CheckItem,
  MessageItem,
  NoticeItem,
  Progress,
  StepItem,
  ToolItem,
  VersionItem,
} from "../../../session/view";
import { place, seconds } from "../../../session/words";
import { Button } from "../../../ui/Button";
import { cx } from "../../../ui/cx";
import { Spinner } from "../../../ui/Spinner";
import { useAnimation, useView } from "../context";
import styles from "./Items.module.css";
import { Markdown } from "./Markdown";

export const MessageBubble = memo(function MessageBubble({
  item,
  waits = false,
}: {
  item: Pick<MessageItem, "text" | "attachments" | "context">;
  waits?: boolean;
}) {
  return (
    <div className={styles.mine}>
      {item.text && (
        <div className={styles.bubble} data-waits={waits || undefined}>
          {item.text}
        </div>
      )}
      <Given attachments={item.attachments} context={item.context} />
      {waits && <p className={styles.meta}>Waits until the agent is done</p>}
    </div>
  );
});

function Given({ attachments, context }: Pick<MessageItem, "attachments" | "context">) {
  if (attachments.length === 0 && context.length === 0) return null;
  return (
    <div className={styles.given}>
      {context.map((text) => (
        <span key={text} className={styles.chip} title={text}>
          <Type size={12} />
          <span>{text}</span>
        </span>
      ))}
      {attachments.length > 0 && (
        <span className={styles.chip}>
          <Paperclip size={12} />
          {attachments.length === 1 ? "1 file" : `${attachments.length} files`}
        </span>
      )}
    </div>
  );
}

/** A message whose event has not arrived. */
export function PendingBubble({ message }: { message: PendingMessage }) {
  const { live, draft } = useAnimation();
  const actions = live?.session.actions;
  const failed = message.status === "failed";
  return (
    <div className={styles.mine}>
      <div className={styles.bubble} data-waits={!failed || undefined}>
        {message.text}
      </div>
      <Given attachments={message.attachments} context={message.context} />
      {message.status === "retrying" && (
        <p className={styles.meta}>
          <Spinner size={11} /> {message.error?.message} Trying again…
        </p>
      )}
      {failed && (
        <div className={styles.failed} role="alert">
          <p>
            <CircleAlert size={13} /> Not sent. {message.error?.message}
          </p>
          <span>
            <Button size="sm" onClick={() => actions?.retry(message.key)}>
              Send again
            </Button>
            <Button
              size="sm"
              variant="ghost"
              onClick={() => {
                const taken = actions?.discard(message.key);
                if (taken && draft.getState().text === "") draft.setState({ text: taken.text });
              }}
            >
              Edit
            </Button>
          </span>
        </div>
      )}
    </div>
  );
}

export const StepText = memo(function StepText({ item }: { item: StepItem }) {
  return (
    <div className={styles.step}>
      {item.thinking && <Thinking item={item} />}
      {item.text ? (
        <Markdown text={item.text} />
      ) : (
        item.streaming && !item.thinking && <Dots label="Thinking" />
      )}
      {item.streaming && item.text && <span className={styles.caret} aria-hidden />}
    </div>
  );
});

function Thinking({ item }: { item: StepItem }) {
  const thinksNow = item.streaming && !item.text;
  const label = thinksNow
    ? "Thinking"
    : item.seconds
      ? `Thought for ${seconds(item.seconds)}`
      : "Thoughts";
  return (
    <details className={styles.thinking}>
      <summary className="nodrag">
        <ChevronRight size={13} className={styles.chevron} />
        <span className={thinksNow ? styles.shimmer : undefined}>{label}</span>
      </summary>
      <p>{item.thinking}</p>
    </details>
  );
}

export function Dots({ label }: { label: string }) {
  return <span className={cx(styles.shimmer, styles.dots)}>{label}…</span>;
}

export function StateIcon({ status }: { status: Progress }) {
  switch (status) {
    case "running":
      return <Spinner size={13} />;
    case "done":
      return <Check size={13} className={styles.ok} />;
    case "failed":
      return <X size={13} className={styles.no} />;
    case "stopped":
      return <Square size={11} className={styles.off} />;
  }
}

/** Actions in a row; put away once they are over. */
export const Work = memo(function Work({ tools }: { tools: readonly ToolItem[] }) {
  const running = tools.some((it) => it.status === "running");
  const failed = tools.filter((it) => it.status === "failed").length;
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? (running || tools.length < 3);
  const last = tools.at(-1);
  const list = (
    <ul className={styles.tools}>
      {tools.map((tool) => (
        <li key={tool.id} className={styles.tool} data-status={tool.status}>
          <StateIcon status={tool.status} />
          {/* What was done says what it was. */}
          {!(tool.status === "done" && tool.summary) && (
            <span className={styles.toolTitle}>{tool.title}</span>
          )}
          {tool.summary && tool.summary !== tool.title && (
            <span className={styles.toolSummary} title={tool.summary}>
              {tool.summary}
            </span>
          )}
          {tool.seconds !== null && tool.seconds >= 0.1 && (
            <span className={styles.toolTime}>{seconds(tool.seconds)}</span>
          )}
          <Pictures blobs={tool.pictures} />
        </li>
      ))}
    </ul>
  );
  if (tools.length < 3) return list;
  return (
    <div>
      <button
        type="button"
        className={cx(styles.fold, "nodrag")}
        aria-expanded={open}
        onClick={() => setChosen(!open)}
      >
        <ChevronRight size={13} className={styles.chevron} />
        {running && last ? last.title : `${tools.length} actions`}
        {failed > 0 && <span className={styles.no}>{failed} failed</span>}
      </button>
      {open && list}
    </div>
  );
});

function Pictures({ blobs }: { blobs: readonly string[] }) {
  const { live } = useAnimation();
  if (!live || blobs.length === 0) return null;
  return (
    <span className={styles.pictures}>
      {blobs.map((blob) => (
        <img
          key={blob}
          src={api.sessions.sheetUrl(live.session.id, blob)}
          alt="What the agent looked at"
          loading="lazy"
        />
      ))}
    </span>
  );
}

export function DiagnosticLine({ it }: { it: Diagnostic }) {
  const where = place(it);
  return (
    <div className={styles.diagnostic}>
      <p>
        {it.message}
        {it.frame !== null && <span className={styles.quiet}> At frame {it.frame}.</span>}
      </p>
      <p className={styles.where}>
        {where && <code>{where}</code>}
        <span>
          {it.gate} · {it.code}
        </span>
      </p>
      {it.hint && <p className={styles.hint}>{it.hint}</p>}
    </div>
  );
}

export const CheckCard = memo(function CheckCard({ item }: { item: CheckItem }) {
  const { live } = useAnimation();
  const { report } = item;
  const errors = report?.diagnostics.filter((it) => it.severity === "error") ?? [];
  const warnings = report?.diagnostics.filter((it) => it.severity === "warning") ?? [];
  const title = {
    running: "Checking every frame…",
    stopped: "Check stopped",
    failed:
      errors.length > 1 ? `The check found ${errors.length} errors` : "The check found an error",
    done: warnings.length
      ? `Check passed, ${warnings.length === 1 ? "1 remark" : `${warnings.length} remarks`}`
      : "Check passed",
  }[item.status];
  const first = errors[0] ?? warnings[0];
  return (
    <div className={styles.check} data-status={item.status}>
      <p className={styles.checkHead}>
        <StateIcon status={item.status} />
        <span>{title}</span>
        {report && (
          <span className={styles.gates}>
            {report.gates.map((gate) => (
              <span
                key={gate.gate}
                data-ok={gate.ok}
                title={`${gate.gate}: ${seconds(gate.seconds)}`}
              >
                {gate.gate}
              </span>
            ))}
          </span>
        )}
      </p>
      {first && <DiagnosticLine it={first} />}
      {item.sheet && live && (
        <details className={styles.sheet}>
          <summary className="nodrag">
            <ChevronRight size={13} className={styles.chevron} /> Contact sheet
          </summary>
          <img
            src={api.sessions.sheetUrl(live.session.id, item.sheet)}
            alt="Frames of the animation in order"
            loading="lazy"
          />
        </details>
      )}
    </div>
  );
});

export const VersionCard = memo(function VersionCard({ item }: { item: VersionItem }) {
  const { openStudio } = useAnimation();
  const newest = useView((view) => view.versions.at(-1)?.id === item.id);
  const { version } = item;
  const count = version.changed.length + version.removed.length;
  return (
    <div className={styles.version}>
      <span className={styles.number}>v{version.number}</span>
      <div className={styles.grow}>
        <p className={styles.versionTitle}>{version.summary}</p>
        <p className={styles.quiet}>{changes(count)}</p>
      </div>
      {newest && (
        <Button size="sm" className="nodrag" icon={<Film />} onClick={() => openStudio("export")}>
          Export
        </Button>
      )}
    </div>
  );
});

function changes(count: number): string {
  if (count === 0) return "The same files, other settings";
  return count === 1 ? "1 file changed" : `${count} files changed`;
}

const NOTICE_ICONS: Record<NoticeItem["about"], ReactNode> = {
  settings: <Sparkles size={12} />,
  resumed: <RotateCcw size={12} />,
  restored: <RotateCcw size={12} />,
  repair: <Eye size={12} />,
  sandbox: <CircleAlert size={12} />,
  title: <Type size={12} />,
};

export const Notice = memo(function Notice({ item }: { item: NoticeItem }) {
  return (
    <p className={styles.notice} data-tone={item.tone}>
      {NOTICE_ICONS[item.about]}
      <span>{item.text}</span>
    </p>
  );
});
