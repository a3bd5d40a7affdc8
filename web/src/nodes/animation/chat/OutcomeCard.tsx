/** How a turn ended that came to nothing: what was tried, and a button to go on. */

import { ChevronRight, CircleAlert, RotateCcw, Square } from "lucide-react";
import { memo, type ReactNode } from "react";
import { again, budget, inALine } from "../../../session/again";
import { type Attempt, isNewest, type OutcomeItem } from "../../../session/view";
import { place } from "../../../session/words";
import { Button } from "../../../ui/Button";
import { useAnimation, useView } from "../context";
import { DiagnosticLine } from "./Items";
import styles from "./OutcomeCard.module.css";

export const OutcomeCard = memo(function OutcomeCard({ item }: { item: OutcomeItem }) {
  const { outcome } = item;
  switch (outcome.type) {
    case "stopped":
      return (
        <p className={styles.stopped}>
          <Square size={11} />
          <span>Stopped. Send a message to go on.</span>
        </p>
      );
    case "check_failed":
      return (
        <Card tone="danger" title={whatFailed(item)}>
          <DiagnosticLine it={outcome.diagnostic} />
          <p className={styles.quiet}>
            {outcome.repairs > 0 && `${repairs(outcome.repairs)} did not mend it. `}
            {whatIsLeft(item, outcome.version_id !== null)}
          </p>
          <Tried attempts={item.tried} />
          <Again item={item}>
            {item.byHand ? "Ask the agent" : outcome.version_id ? "Try another way" : "Go on"}
          </Again>
        </Card>
      );
    case "budget_exhausted": {
      const spent = outcome.what === "session_money";
      return (
        <Card
          tone="warning"
          title={
            spent
              ? "This animation has used up what it may cost"
              : `Paused: this turn used up its ${budget(outcome.what)}`
          }
        >
          <p className={styles.quiet}>
            {spent
              ? "What was done is kept, and can be changed by hand and exported. Whoever runs Koda can raise KODA_SESSION_MAX_COST."
              : "What was done so far is kept."}
          </p>
          <Tried attempts={item.tried} />
          {!spent && <Again item={item}>Go on</Again>}
        </Card>
      );
    }
    case "failed": {
      const stuck = outcome.code === "stuck";
      return (
        <Card tone="danger" title="This did not work">
          <p>{outcome.message}</p>
          {stuck && <Missed lines={item.missed} />}
          <Again item={item}>{stuck ? "Go on" : "Try again"}</Again>
        </Card>
      );
    }
  }
});

function Card(props: { tone: "danger" | "warning"; title: string; children: ReactNode }) {
  return (
    <div
      className={styles.outcome}
      data-tone={props.tone}
      role={props.tone === "danger" ? "alert" : undefined}
    >
      <p className={styles.title}>
        <CircleAlert size={14} /> {props.title}
      </p>
      {props.children}
    </div>
  );
}

/** Sends the person's request once more, with what became of it; only where nothing has been said since. */
function Again({ item, children }: { item: OutcomeItem; children: ReactNode }) {
  const { send } = useAnimation();
  const newest = useView((view) => isNewest(view, item.id) && view.turn === null);
  if (!newest) return null;
  return (
    <Button
      size="sm"
      className="nodrag"
      icon={<RotateCcw />}
      onClick={() => send(again(item), item.asked?.attachments)}
    >
      {children}
    </Button>
  );
}

function whatFailed(item: OutcomeItem): string {
  if (item.byHand) return "Your change did not pass the check";
  return item.made
    ? "The last changes did not pass the check"
    : "The animation did not pass its check";
}

function whatIsLeft(item: OutcomeItem, restored: boolean): string {
  if (!restored) return "What was written is kept, but there is no good version to show yet.";
  const good = item.back === null ? "the last good version" : `version ${item.back}`;
  return item.byHand
    ? `It was taken back: the files are those of ${good}.`
    : `The files are back at ${good}.`;
}

/** What each round met; put away where it is long. */
function Tried({ attempts }: { attempts: readonly Attempt[] }) {
  // The error of a single try is told above.
  if (attempts.length < 2) return null;
  const lines = attempts.map((it) => inALine(it.diagnostic));
  return (
    <details className={styles.tried} open={lines.join("").length < SHORT}>
      <summary className="nodrag">
        <ChevronRight size={13} className={styles.chevron} /> What was tried
      </summary>
      <ol>
        {attempts.map(({ repair, diagnostic }, n) => {
          const where = place(diagnostic);
          const same = n > 0 && lines[n] === lines[n - 1];
          return (
            <li key={repair}>
              <b>{repair === 0 ? "First try" : `Repair ${repair}`}</b>
              {same ? (
                "met the same error"
              ) : (
                <>
                  {where && <code>{where}</code>}
                  {inALine({ ...diagnostic, file: null })}
                </>
              )}
            </li>
          );
        })}
      </ol>
    </details>
  );
}

/** Letters that need not be put away. */
const SHORT = 160;

function Missed({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <details className={styles.tried} open={lines.join("").length < SHORT}>
      <summary className="nodrag">
        <ChevronRight size={13} className={styles.chevron} /> What failed
      </summary>
      <ol>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ol>
    </details>
  );
}

const repairs = (count: number) => (count === 1 ? "One repair" : `${count} repairs`);
