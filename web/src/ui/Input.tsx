import { type ComponentProps, type ReactNode, useId } from "react";
import { cx } from "./cx";
import styles from "./Input.module.css";

export interface InputProps extends Omit<ComponentProps<"input">, "size"> {
  size?: "sm" | "md" | "lg";
  /** Shown inside, before the text. */
  icon?: ReactNode;
  /** Shown inside, after the text. */
  end?: ReactNode;
  invalid?: boolean;
}

export function Input({ size = "md", icon, end, invalid, className, ...rest }: InputProps) {
  return (
    <span className={cx(styles.box, styles[size], invalid && styles.invalid, className)}>
      {icon}
      <input {...rest} className={styles.input} aria-invalid={invalid || undefined} />
      {end}
    </span>
  );
}

export interface TextareaProps extends ComponentProps<"textarea"> {
  invalid?: boolean;
}

/** Grows with its text, up to its max-height. */
export function Textarea({ invalid, className, ...rest }: TextareaProps) {
  return (
    <textarea
      rows={3}
      {...rest}
      className={cx(styles.textarea, invalid && styles.invalid, className)}
      aria-invalid={invalid || undefined}
    />
  );
}

export interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  /** Gets the ids to put on the control. */
  children: (ids: { id: string; "aria-describedby": string | undefined }) => ReactNode;
  className?: string;
}

/** A labelled control with a hint and an error. */
export function Field({ label, hint, error, children, className }: FieldProps) {
  const id = useId();
  const about = error || hint ? `${id}-about` : undefined;
  return (
    <div className={cx(styles.field, className)}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {children({ id, "aria-describedby": about })}
      {about && (
        <p id={about} className={error ? styles.error : styles.hint}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
