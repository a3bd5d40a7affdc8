import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "../../../ui/Button";
import styles from "./ColorField.module.css";

interface ColorFieldProps {
  /** Its name for people, such as `Background`. */
  name: string;
  value: string | null;
  /** Told when the picker is closed, not at every shade on the way. */
  onChange: (color: string) => void;
  /** Gives the choice back, where that is possible. */
  onClear?: () => void;
  disabled?: boolean;
}

/** A colour by its role. */
export function ColorField({ name, value, onChange, onClear, disabled }: ColorFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => {
    const element = input.current;
    if (!element) return;
    // React's onChange is the `input` event; `change` comes once, at the end.
    const done = () => latest.current(element.value);
    element.addEventListener("change", done);
    return () => element.removeEventListener("change", done);
  }, []);
  useEffect(() => {
    if (input.current && value) input.current.value = value;
  }, [value]);
  return (
    <span className={styles.color} data-empty={value === null || undefined}>
      <input
        ref={input}
        type="color"
        aria-label={`${name} colour`}
        defaultValue={value ?? "#808080"}
        disabled={disabled}
      />
      <span>
        {name}
        <small data-code={value ? true : undefined}>{value ?? "Agent's choice"}</small>
      </span>
      {value && onClear && (
        <IconButton
          size="sm"
          label={`Let the agent choose the ${name.toLowerCase()} colour`}
          onClick={onClear}
        >
          <X />
        </IconButton>
      )}
    </span>
  );
}
