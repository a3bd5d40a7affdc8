import { Radio } from "@base-ui/react/radio";
import { RadioGroup } from "@base-ui/react/radio-group";
import type { ReactNode } from "react";
import { cx } from "./cx";
import styles from "./Segmented.module.css";

export interface Segment<T extends string | number> {
  value: T;
  label: string;
  /** Drawn instead of the label, which stays as the accessible name. */
  icon?: ReactNode;
  disabled?: boolean;
}

interface SegmentedProps<T extends string | number> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  segments: readonly Segment<T>[];
  size?: "sm" | "md";
  disabled?: boolean;
  className?: string;
}

/** One of a few choices, all visible. */
export function Segmented<T extends string | number>({
  label,
  value,
  onChange,
  segments,
  size = "md",
  disabled,
  className,
}: SegmentedProps<T>) {
  return (
    <RadioGroup
      aria-label={label}
      value={value}
      onValueChange={(next) => onChange(next as T)}
      disabled={disabled}
      className={cx(styles.root, styles[size], className)}
    >
      {segments.map((segment) => (
        <Radio.Root
          key={segment.value}
          value={segment.value}
          disabled={segment.disabled}
          aria-label={segment.label}
          title={segment.icon ? segment.label : undefined}
          className={styles.segment}
        >
          {segment.icon ?? segment.label}
        </Radio.Root>
      ))}
    </RadioGroup>
  );
}
