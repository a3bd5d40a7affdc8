import { useEffect, useRef, useState } from "react";

/**
 * A field that is written in freely and handed on when it is left or entered, once; what comes from outside is
 * taken over.
 */
export function useEdited<T extends string | number>(value: T, onDone: (next: T) => void) {
  const [draft, setDraft] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    setDraft(value);
    sent.current = value;
  }, [value]);
  return {
    draft,
    setDraft,
    done: () => {
      if (Object.is(draft, sent.current)) return;
      sent.current = draft;
      onDone(draft);
    },
    reset: () => setDraft(value),
  };
}
