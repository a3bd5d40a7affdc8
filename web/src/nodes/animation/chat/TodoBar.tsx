/** What the agent does now: its list, the running action, and how long it has been at it. */

import { Check, ChevronRight, Circle } from "lucide-react";
import { useEffect, useState } from "react";
import { clock } from "../../../session/words";
import { cx } from "../../../ui/cx";
import { Spinner } from "../../../ui/Spinner";
import { useView } from "../context";
import { activity } from "../status";
import styles from "./TodoBar.module.css";

export function TodoBar() {
  const turn = useView((view) => view.turn);
  const todos = useView((view) => view.todos);
  const now = useView((view) => (view.turn ? activity(view) : ""));
  const [open, setOpen] = useState(false);
  if (!turn) return null;
  const done = todos.filter((it) => it.status === "done").length;
  const active = todos.find((it) => it.status === "active");
  return (
    <div className={cx(styles.root, "nodrag nopan")}>
      <button
        type="button"
        className={styles.line}
        aria-expanded={todos.length > 0 ? open : undefined}
        disabled={todos.length === 0}
        onClick={() => setOpen(!open)}
      >
        <Spinner size={13} />
        <span className={styles.label} role="status">
          {active && !turn.stopRequested ? active.label : now}
        </span>
        {todos.length > 0 && (
          <span className={styles.count}>
            {done} / {todos.length}
            <ChevronRight size={13} className={styles.chevron} />
          </span>
        )}
        <Elapsed since={turn.startedAt} />
      </button>
      {todos.length > 0 && (
        <div className={styles.progress}>
          <span style={{ width: `${(done / todos.length) * 100}%` }} />
        </div>
      )}
      {open && (
        <ul className={cx(styles.list, "nowheel")}>
          {todos.map((todo) => (
            <li key={todo.label} data-status={todo.status}>
              {todo.status === "done" && <Check size={13} />}
              {todo.status === "active" && <Spinner size={12} />}
              {todo.status === "pending" && <Circle size={11} />}
              {todo.label}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Elapsed({ since }: { since: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <span className={styles.time}>{clock((now - Date.parse(since)) / 1000)}</span>;
}
