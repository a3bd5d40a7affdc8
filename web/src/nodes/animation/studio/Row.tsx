import type { ReactNode } from "react";
import styles from "./Row.module.css";

interface RowProps {
  label: string;
  hint?: string | undefined;
  /** Controls that have this label as their accessible name. */
  children: ReactNode;
}

/** A control with a label above it and a hint below. */
export function Row({ label, hint, children }: RowProps) {
  return (
    <div className={styles.row}>
      <p className={styles.label} aria-hidden>
        {label}
      </p>
      {children}
      {hint && <p className={styles.hint}>{hint}</p>}
    </div>
  );
}
