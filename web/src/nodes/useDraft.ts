import { type ChangeEvent, useEffect, useRef, useState } from "react";

/**
 * A text field that types into local state at once and hands its value on. What comes from outside
 * (undo, another tab) is taken over unless it is only the echo of what was typed.
 */
export function useDraft(value: string, onChange: (next: string) => void) {
  const [draft, setDraft] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    setDraft(value);
  }, [value]);
  return {
    value: draft,
    onChange: (event: ChangeEvent<HTMLTextAreaElement | HTMLInputElement>) => {
      const next = event.target.value;
      sent.current = next;
      setDraft(next);
      onChange(next);
    },
  };
}
