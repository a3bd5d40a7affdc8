import { type RefObject, useEffect, useState } from "react";

/** How long a preview lives on after it was scrolled away: panning back and forth must not load it each time. */
const LINGER_MS = 15_000;

/** Whether an element is on the screen or close to it, in a tab that is looked at. */
export function useNear(ref: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let close = false;
    const update = () => {
      clearTimeout(timer);
      if (close && !document.hidden) setNear(true);
      else timer = setTimeout(() => setNear(false), LINGER_MS);
    };
    const observer = new IntersectionObserver(
      (entries) => {
        close = entries.at(-1)?.isIntersecting ?? false;
        update();
      },
      { rootMargin: "25%" },
    );
    observer.observe(element);
    document.addEventListener("visibilitychange", update);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      document.removeEventListener("visibilitychange", update);
    };
  }, [ref]);
  return near;
}
