import { ArrowUp } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import type { Example } from "../api/types";
import { Button } from "../ui/Button";
import styles from "./PromptBox.module.css";

interface PromptBoxProps {
  busy: boolean;
  examples: readonly Example[];
  /** Whether the demo model answers, which is not AI. */
  demo: boolean;
  onSubmit: (prompt: string) => void;
}

/** The shortest way to an animation: say it. */
export function PromptBox({ busy, examples, demo, onSubmit }: PromptBoxProps) {
  const [prompt, setPrompt] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const ready = prompt.trim() !== "" && !busy;
  const submit = () => ready && onSubmit(prompt.trim());
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <section className={styles.root}>
      <h1>What should move?</h1>
      <form
        className={styles.box}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <textarea
          ref={field}
          value={prompt}
          rows={2}
          maxLength={20_000}
          aria-label="Describe an animation"
          placeholder="A product name that assembles from paper strips, then folds away…"
          onChange={(event) => setPrompt(event.target.value)}
          onKeyDown={keys}
          disabled={busy}
        />
        <div className={styles.foot}>
          <span className={styles.hint}>
            {demo
              ? "The demo model answers: ready-made recipes, not AI"
              : "You see a plan before anything is built"}
          </span>
          <Button
            type="submit"
            variant="accent"
            disabled={!ready}
            loading={busy}
            icon={<ArrowUp />}
            aria-label="Create the animation"
          >
            Create
          </Button>
        </div>
      </form>
      {examples.length > 0 && (
        <ul className={styles.examples} aria-label="Examples">
          {examples.slice(0, 5).map((it) => (
            <li key={it.title}>
              <button
                type="button"
                title={it.prompt}
                disabled={busy}
                onClick={() => {
                  setPrompt(it.prompt);
                  field.current?.focus();
                }}
              >
                {it.title}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
