/** The picture: a live preview, or in its place what is going on. */

import { Sparkles } from "lucide-react";
import {
  type CSSProperties,
  type MouseEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
  useState,
} from "react";
import { useStore } from "zustand";
import type { Aspect } from "../api/types";
import type { SandboxView } from "../session/view";
import { Badge } from "../ui/Badge";
import { cx } from "../ui/cx";
import { PopupContainer } from "../ui/PopupContainer";
import type { Preview } from "./controller";
import { Guides, guidesFor } from "./Guides";
import { previewKeys } from "./keys";
import { PreviewFrame } from "./PreviewFrame";
import type { Player } from "./player";
import type { PreviewProblem } from "./protocol";
import styles from "./Stage.module.css";
import type { Mark } from "./Track";
import { Transport } from "./Transport";
import { Veil } from "./Veil";

interface StageProps {
  preview: Preview;
  title: string;
  aspect: Aspect;
  sandbox: SandboxView | null;
  /** Whether it may be live; a poster is shown otherwise. */
  live: boolean;
  poster?: string | null;
  onWake: () => void;
  marks?: readonly Mark[];
  compact?: boolean;
  /** Offered where the animation itself throws. */
  onTellAgent?: ((problem: PreviewProblem) => void) | undefined;
  className?: string;
  children?: ReactNode;
}

const RATIOS: Record<Aspect, number> = {
  "16:9": 16 / 9,
  "9:16": 9 / 16,
  "1:1": 1,
  "4:3": 4 / 3,
  "21:9": 21 / 9,
};

export function Stage(props: StageProps) {
  const { preview, title, aspect, live, marks, compact, className, children } = props;
  const { status, ticket, load, warm } = useStore(preview.state);
  const info = useStore(preview.player.state, (it) => it.info);
  const root = useRef<HTMLDivElement>(null);
  const { shell, toggle } = useFullscreen(root);
  const ratio = info ? info.width / info.height : RATIOS[aspect];
  const guides = guidesFor(ratio);
  const shown =
    live &&
    ticket &&
    (warm || status === "loading" || status === "ready" || status === "reconnecting");
  const onClick = (event: MouseEvent) => {
    // After a click on one of its buttons, Space shall play and not press that button again.
    const button = (event.target as Element).closest("button:not([aria-haspopup])");
    if (event.detail > 0 && button && root.current?.contains(button)) focus(root.current);
  };
  return (
    <PopupContainer value={shell}>
      {/* Keys and clicks are for whatever in here has focus; the buttons of the transport do the same. */}
      <section
        ref={root}
        tabIndex={-1}
        aria-label={`Preview of ${title}`}
        className={cx(styles.root, className)}
        data-fullscreen={shell !== null || undefined}
        onKeyDown={previewKeys({ player: preview.player, guides, onFullscreen: toggle })}
        onClick={onClick}
      >
        <div className={styles.letterbox} style={{ "--ratio": ratio } as CSSProperties}>
          <div className={styles.picture}>
            {shown && (
              <PreviewFrame
                key={`${load} ${ticket.url}`}
                preview={preview}
                url={ticket.url}
                title={`Preview of ${title}`}
              />
            )}
            {!shown && props.poster && <img className={styles.poster} src={props.poster} alt="" />}
            {shown && <Guides ratio={ratio} />}
            {shown && <Simplified player={preview.player} />}
          </div>
          {shown && status === "ready" && (
            <button
              type="button"
              className={styles.surface}
              tabIndex={-1}
              aria-label="Play or pause"
              onClick={() => preview.player.toggle()}
            />
          )}
          <Veil {...props} status={status} />
          {children}
        </div>
        <Transport
          player={preview.player}
          guides={guides}
          fullscreen={shell !== null}
          onFullscreen={toggle}
          {...(marks ? { marks } : {})}
          {...(compact && !shell ? { compact } : {})}
        />
      </section>
    </PopupContainer>
  );
}

/** Says of what a viewer's browser cannot draw that exports have it. */
function Simplified({ player }: { player: Player }) {
  const simplified = useStore(player.state, (it) => it.simplified);
  if (!simplified) return null;
  return (
    <div className={styles.simplified} role="status">
      <Badge icon={<Sparkles size={12} />}>Some effects show in exports only</Badge>
    </div>
  );
}

const focus = (element: HTMLElement) => element.focus({ preventScroll: true });

/** `shell`: the element, while it fills the screen. */
function useFullscreen(root: RefObject<HTMLElement | null>) {
  const [shell, setShell] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const onChange = () => {
      const element = root.current;
      const filled = element !== null && document.fullscreenElement === element;
      setShell(filled ? element : null);
      // Keys work at once, wherever focus was.
      if (filled) focus(element);
    };
    document.addEventListener("fullscreenchange", onChange);
    return () => document.removeEventListener("fullscreenchange", onChange);
  }, [root]);
  const toggle = () => {
    const done = shell ? document.exitFullscreen() : root.current?.requestFullscreen();
    // A browser that refuses leaves things as they are.
    done?.catch(() => {});
  };
  return { shell, toggle };
}
