/** The conversation, newest at the bottom, and kept there while it grows unless somebody scrolled up. */

import { ArrowDown } from "lucide-react";
import { memo, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { IconButton } from "../../../ui/Button";
import { cx } from "../../../ui/cx";
import { useAnimation, usePending, useSession, useView } from "../context";
import { lastExchange, type Row, rows } from "../status";
import styles from "./Conversation.module.css";
import {
  CheckCard,
  Dots,
  MessageBubble,
  Notice,
  PendingBubble,
  StepText,
  VersionCard,
  Work,
} from "./Items";
import { OutcomeCard } from "./OutcomeCard";
import { PlanCard } from "./PlanCard";
import { QuestionForm } from "./QuestionForm";
import { RenderRow } from "./RenderRow";
import { TurnSpent } from "./TurnSpent";

/** How many entries a long conversation shows at first. */
const PAGE = 60;

interface ConversationProps {
  /** Only what a small node has room for. */
  brief?: boolean;
  empty?: ReactNode;
  className?: string | undefined;
}

export function Conversation({ brief = false, empty, className }: ConversationProps) {
  const { openStudio, beginError } = useAnimation();
  const items = useView((view) => view.items);
  const waiting = useView((view) => view.waiting);
  const turn = useView((view) => view.turn);
  const loading = useSession((data) => data.loading);
  const pending = usePending();
  const [shown, setShown] = useState(PAGE);
  const scroller = useRef<HTMLDivElement>(null);
  const { atEnd, onScroll, onTouch, toEnd } = useStickToEnd(scroller, pending.length);

  const all = useMemo(() => rows(brief ? lastExchange(items) : items), [items, brief]);
  const list = all.slice(-shown);
  const hidden = brief ? items.length > 0 && lastExchange(items).length < items.length : false;
  const quiet = turn !== null && !all.some((row) => isMoving(row));
  const nothing = all.length === 0 && waiting.length === 0 && pending.length === 0;

  return (
    <div className={cx(styles.root, className)}>
      <div
        ref={scroller}
        className={cx(styles.scroller, "nowheel")}
        onScroll={onScroll}
        onClickCapture={onTouch}
        role="log"
        aria-label="Conversation"
        aria-live="polite"
        aria-relevant="additions"
        aria-busy={turn !== null}
        // A region that scrolls is reached by keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
      >
        {nothing && !loading && empty}
        {hidden && (
          <button
            type="button"
            className={cx(styles.earlier, "nodrag")}
            onClick={() => openStudio("chat")}
          >
            Whole conversation
          </button>
        )}
        {!brief && all.length > list.length && (
          <button
            type="button"
            className={styles.earlier}
            onClick={() => setShown(shown + PAGE * 3)}
          >
            Show earlier
          </button>
        )}
        <div className={cx(styles.list, "nodrag nopan")}>
          {list.map((row) => (
            <RowView key={`${row.kind}-${row.id}`} row={row} />
          ))}
          {quiet && <Dots label={turn.stopRequested ? "Stopping" : "Working"} />}
          {waiting.map((item) => (
            <MessageBubble key={item.id} item={item} waits={turn !== null} />
          ))}
          {pending.map((message) => (
            <PendingBubble key={message.key} message={message} />
          ))}
          {beginError && (
            <p className={styles.error} role="alert">
              {beginError.message}
            </p>
          )}
        </div>
      </div>
      {!atEnd && (
        <IconButton
          label="To the newest"
          size="sm"
          variant="secondary"
          className={cx(styles.toEnd, "nodrag")}
          onClick={toEnd}
        >
          <ArrowDown />
        </IconButton>
      )}
    </div>
  );
}

function isMoving(row: Row): boolean {
  switch (row.kind) {
    case "step":
      return row.streaming;
    case "work":
      return row.tools.some((tool) => tool.status === "running");
    case "check":
      return row.status === "running";
    default:
      return false;
  }
}

const RowView = memo(function RowView({ row }: { row: Row }) {
  switch (row.kind) {
    case "message":
      return <MessageBubble item={row} />;
    case "step":
      return <StepText item={row} />;
    case "work":
      return <Work tools={row.tools} />;
    case "tool":
      return <Work tools={[row]} />;
    case "check":
      return <CheckCard item={row} />;
    case "plan":
      return <PlanCard item={row} />;
    case "question":
      return <QuestionForm item={row} />;
    case "version":
      return <VersionCard item={row} />;
    case "render":
      return <RenderRow id={row.id} />;
    case "notice":
      return <Notice item={row} />;
    case "outcome":
      return <OutcomeCard item={row} />;
    case "spent":
      return <TurnSpent item={row} />;
  }
});

/** Keeps a list at its end while it grows, as long as it was there; who says something (`said` grows) wants to see the answer. */
function useStickToEnd(ref: React.RefObject<HTMLDivElement | null>, said: number) {
  const [atEnd, setAtEnd] = useState(true);
  const sticks = useRef(true);
  const touched = useRef(0);
  const lastTop = useRef(0);
  const toEnd = () => {
    const element = ref.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  useLayoutEffect(() => {
    const element = ref.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [ref]);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || said === 0) return;
    sticks.current = true;
    setAtEnd(true);
    element.scrollTop = element.scrollHeight;
  }, [ref, said]);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const keep = () => {
      if (!sticks.current) return;
      // What somebody unfolds grows below the pointer, not away from it.
      if (Date.now() - touched.current < 400) {
        sticks.current = isAtEnd(element);
        setAtEnd(sticks.current);
      } else {
        element.scrollTop = element.scrollHeight;
      }
    };
    const observer = new ResizeObserver(keep);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    const added = new MutationObserver(() => {
      for (const child of element.children) observer.observe(child);
      keep();
    });
    added.observe(element, { childList: true });
    const unfolded = ({ target }: Event) => {
      // What is open from the beginning tells so too.
      const byHand = Date.now() - touched.current < 400;
      if (byHand && target instanceof Element) element.scrollTop += hiddenBelow(element, target);
    };
    element.addEventListener("toggle", unfolded, true);
    return () => {
      element.removeEventListener("toggle", unfolded, true);
      observer.disconnect();
      added.disconnect();
    };
  }, [ref]);
  return {
    atEnd,
    toEnd,
    onScroll: () => {
      const element = ref.current;
      if (!element) return;
      // Growth makes scroll events too; only a person goes up.
      const up = element.scrollTop < lastTop.current - 1;
      lastTop.current = element.scrollTop;
      if (isAtEnd(element)) sticks.current = true;
      else if (up) sticks.current = false;
      setAtEnd(sticks.current);
    },
    onTouch: (event: React.MouseEvent) => {
      const { target } = event;
      const unfolds = target instanceof Element && target.closest("[aria-expanded], summary");
      if (unfolds) touched.current = Date.now();
    },
  };
}

/** How far to scroll so that what was unfolded is seen, but not further than to its beginning. */
function hiddenBelow(scroller: HTMLElement, part: Element): number {
  const outer = scroller.getBoundingClientRect();
  const inner = part.getBoundingClientRect();
  const zoom = outer.height / scroller.offsetHeight;
  return Math.max(0, Math.min(inner.bottom - outer.bottom + MARGIN, inner.top - outer.top)) / zoom;
}

/** Pixels kept free below what was unfolded. */
const MARGIN = 12;

const isAtEnd = (element: HTMLElement) =>
  element.scrollHeight - element.scrollTop - element.clientHeight < 48;
