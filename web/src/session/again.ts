/** What the agent is told to try again after a turn that came to nothing. */

import type { Diagnostic } from "../api/types";
import type { OutcomeItem } from "./view";
import { place } from "./words";

const TRIED = "This was tried before and did not pass the check.";
const GO_ON = "Go on where you left off";
/** Errors that are repeated. */
const MOST = 6;
/** Letters of each. */
const LONG = 300;

type Unfinished = Pick<OutcomeItem, "outcome" | "asked" | "tried" | "missed" | "back" | "made">;
type Finding = Pick<Diagnostic, "message" | "file" | "line" | "column">;

/** A finding as a line. */
export function inALine(it: Finding): string {
  const words = it.message.replace(/\s+/g, " ").trim();
  const message = words.length > LONG ? `${words.slice(0, LONG)}…` : words;
  const where = place(it);
  return where ? `${where}: ${message}` : message;
}

/** Something that is broken now, in words for the agent. */
export function complaint(it: Finding): string {
  const where = place(it);
  return `This is broken${where ? ` in ${where}` : ""}: ${it.message}\nPlease mend its cause.`;
}

const list = (lines: readonly string[]): string[] => lines.map((line) => `- ${line}`);

/** A message as the person wrote it, and the lines of what an earlier try added to it. */
function apart(text: string): { words: string; lines: string[] } {
  const added = new RegExp(`(?:^|\\n\\n)(?:${TRIED.replace(".", "\\.")}|${GO_ON}: )[^]*$`).exec(
    text,
  );
  if (!added) return { words: text, lines: [] };
  const lines = added[0].split("\n").flatMap((it) => (it.startsWith("- ") ? [it.slice(2)] : []));
  return { words: text.slice(0, added.index), lines };
}

/** The person's own request once more, with what became of it the last time. */
export function again(item: Unfinished): string {
  const text = item.asked?.text ?? "";
  const { words, lines } = apart(text);
  const note = noteOf(item, lines);
  if (!note) return text || `${GO_ON}.`;
  return words ? `${words}\n\n${note}` : note;
}

function noteOf(item: Unfinished, earlier: readonly string[]): string | null {
  const { outcome } = item;
  switch (outcome.type) {
    case "check_failed": {
      const met = [...item.tried.map((it) => it.diagnostic), outcome.diagnostic].map(inALine);
      // What was met last stands last.
      const lines = [...new Set([...earlier, ...met].reverse())].slice(0, MOST).reverse();
      if (item.made) {
        const done = `${GO_ON}: version ${item.back} passed its check, and what came after it did not and was taken back.`;
        return [`${done} What went wrong:`, ...list(lines), "Please go another way."].join("\n");
      }
      const state = outcome.version_id
        ? `The files are back at ${item.back === null ? "the last good version" : `version ${item.back}`}: nothing of that try is left.`
        : "What was written is still there.";
      const wish = outcome.version_id
        ? "Please do it another way."
        : "Please mend the cause, or write that part another way.";
      return [`${TRIED} ${state} What went wrong:`, ...list(lines), wish].join("\n");
    }
    case "budget_exhausted":
      return `${GO_ON}: the last turn used up its ${budget(outcome.what)}, and what was done is kept.`;
    case "failed":
      if (outcome.code !== "stuck") return null;
      return [
        `${GO_ON}: what was done is kept. The same failed again and again${item.missed.length ? ":" : "."}`,
        ...list(item.missed),
        "Please go another way.",
      ].join("\n");
    default:
      return null;
  }
}

const BUDGETS: Record<string, string> = { seconds: "time" };

/** What a turn used up, as a word. */
export const budget = (what: string): string => BUDGETS[what] ?? what;
