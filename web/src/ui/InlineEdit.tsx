import { useEffect, useRef, useState } from "react";
import { cx } from "./cx";
import styles from "./InlineEdit.module.css";

interface InlineEditProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Begins in editing, such as after "Rename" in a menu. */
  editing?: boolean;
  onDone?: () => void;
  maxLength?: number;
  className?: string;
}

/** A name that becomes a field where it stands. Enter and leaving keep it, Escape does not. */
export function InlineEdit({
  label,
  value,
  onChange,
  editing = false,
  onDone,
  maxLength = 120,
  className,
}: InlineEditProps) {
  const [draft, setDraft] = useState<string | null>(editing ? value : null);
  const field = useRef<HTMLInputElement>(null);
  const open = draft !== null;

  // Opening takes the value of that moment; what is typed is not reset by a later one.
  const latest = useRef(value);
  latest.current = value;
  useEffect(() => {
    if (editing) setDraft(latest.current);
  }, [editing]);

  useEffect(() => {
    if (open) field.current?.select();
  }, [open]);

  const finish = (keep: boolean) => {
    const next = draft?.trim();
    if (keep && next && next !== value) onChange(next);
    setDraft(null);
    onDone?.();
  };

  if (!open) {
    return (
      <button
        type="button"
        className={cx(styles.shown, className)}
        aria-label={`${label}: ${value}. Rename`}
        onClick={() => setDraft(value)}
      >
        {value}
      </button>
    );
  }
  return (
    <input
      ref={field}
      className={cx(styles.field, className)}
      aria-label={label}
      value={draft}
      maxLength={maxLength}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish(true);
        else if (event.key === "Escape") {
          event.preventDefault();
          finish(false);
        }
        event.stopPropagation();
      }}
    />
  );
}
