import { Select as BaseSelect } from "@base-ui/react/select";
import { Check, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";
import buttons from "./Button.module.css";
import { cx } from "./cx";
import popup from "./popup.module.css";
import styles from "./Select.module.css";

export interface SelectOption<T extends string | number | null> {
  value: T;
  label: string;
  /** A second, quieter line in the list. */
  detail?: string;
  icon?: ReactNode;
  disabled?: boolean;
}

interface SelectProps<T extends string | number | null> {
  value: T;
  onChange: (value: T) => void;
  options: readonly SelectOption<T>[];
  /** The accessible name, unless a label points at `id`. */
  label?: string;
  id?: string;
  size?: "sm" | "md" | "lg";
  disabled?: boolean;
  placeholder?: string;
  className?: string;
}

export function Select<T extends string | number | null>({
  value,
  onChange,
  options,
  label,
  id,
  size = "md",
  disabled,
  placeholder,
  className,
}: SelectProps<T>) {
  const chosen = options.find((it) => it.value === value);
  return (
    <BaseSelect.Root
      value={value}
      onValueChange={(next) => onChange(next as T)}
      items={options}
      disabled={disabled}
    >
      <BaseSelect.Trigger
        id={id}
        aria-label={label}
        className={cx(buttons.button, buttons.secondary, buttons[size], styles.trigger, className)}
      >
        {chosen?.icon}
        <span className={styles.value}>{chosen?.label ?? placeholder ?? ""}</span>
        <ChevronsUpDown className={styles.arrow} />
      </BaseSelect.Trigger>
      <BaseSelect.Portal>
        <BaseSelect.Positioner
          className={popup.positioner}
          alignItemWithTrigger={false}
          sideOffset={6}
          align="start"
          collisionPadding={8}
        >
          <BaseSelect.Popup className={cx(popup.popup, styles.popup)}>
            {options.map((option) => (
              <BaseSelect.Item
                key={String(option.value)}
                value={option.value}
                disabled={option.disabled}
                className={popup.item}
              >
                {option.icon}
                <span className={popup.grow}>
                  <BaseSelect.ItemText>{option.label}</BaseSelect.ItemText>
                  {option.detail && <span className={popup.sub}>{option.detail}</span>}
                </span>
                <span className={popup.check}>
                  <BaseSelect.ItemIndicator>
                    <Check size={16} />
                  </BaseSelect.ItemIndicator>
                </span>
              </BaseSelect.Item>
            ))}
          </BaseSelect.Popup>
        </BaseSelect.Positioner>
      </BaseSelect.Portal>
    </BaseSelect.Root>
  );
}
