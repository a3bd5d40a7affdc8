import { cx } from "./cx";
import styles from "./Progress.module.css";

interface ProgressProps {
  label: string;
  /** 0 to 1; unknown if left out. */
  value?: number | undefined;
  className?: string;
}

export function Progress({ label, value, className }: ProgressProps) {
  const percent =
    value === undefined ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className={cx(styles.track, percent === undefined && styles.unknown, className)}
    >
      <div
        className={styles.fill}
        style={percent === undefined ? undefined : { transform: `scaleX(${percent / 100})` }}
      />
    </div>
  );
}
