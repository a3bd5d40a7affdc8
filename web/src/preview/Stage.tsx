/** The picture: a live preview, or in its place what is going on. */

import { CircleAlert, MonitorPlay, MoonStar, Play } from "lucide-react";
import { type CSSProperties, type ReactNode, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { Aspect } from "../api/types";
import type { SandboxView } from "../session/view";
import { place } from "../session/words";
import { Button } from "../ui/Button";
import { cx } from "../ui/cx";
import { Spinner } from "../ui/Spinner";
import type { Preview, PreviewStatus } from "./controller";
import { PreviewFrame } from "./PreviewFrame";
import type { PreviewProblem } from "./protocol";
import styles from "./Stage.module.css";
import { type Mark, playerKeys, Transport } from "./Transport";

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
  const { status, ticket, load } = useStore(preview.state);
  const info = useStore(preview.player.state, (it) => it.info);
  const root = useRef<HTMLDivElement>(null);
  const [fullscreen, setFullscreen] = useState(false);
  useEffect(() => {
    const onChange = () => setFullscreen(document.fullscreenElement === root.current);
    document.addEventListener("fullscreenchange", onChange);
    return () => document.removeEventListener("fullscreenchange", onChange);
  }, []);
  const toggleFullscreen = () => {
    const done = fullscreen ? document.exitFullscreen() : root.current?.requestFullscreen();
    // A browser that refuses leaves things as they are.
    done?.catch(() => {});
  };
  const ratio = info ? info.width / info.height : RATIOS[aspect];
  const shown =
    live && ticket && (status === "loading" || status === "ready" || status === "reconnecting");
  return (
    // The keys are an addition to the buttons of the transport, for whatever in here has focus.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div
      ref={root}
      className={cx(styles.root, className)}
      data-fullscreen={fullscreen || undefined}
      onKeyDown={playerKeys(preview.player)}
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
        fullscreen={fullscreen}
        onFullscreen={toggleFullscreen}
        {...(marks ? { marks } : {})}
        {...(compact ? { compact } : {})}
      />
    </div>
  );
}

function Veil({
  preview,
  status,
  sandbox,
  live,
  poster,
  onWake,
  onTellAgent,
}: StageProps & { status: PreviewStatus }) {
  const error = useStore(preview.state, (it) => it.error);
  const problem = useStore(preview.player.state, (it) => it.problem);
  const retry = () => preview.retry();
  if (!live) {
    return (
      <div className={styles.veil} data-clear={poster ? true : undefined}>
        <Button size="sm" className="nodrag" icon={<Play />} onClick={onWake}>
          Show preview
        </Button>
      </div>
    );
  }
  if (status === "failed") {
    return (
      <div className={cx(styles.veil, styles.bad)} role="alert">
        <CircleAlert />
        <p className={styles.words}>{error?.message ?? "The preview could not be opened."}</p>
        <Button size="sm" className="nodrag" onClick={retry}>
          Try again
        </Button>
      </div>
    );
  }
  if (status !== "ready") {
    const { icon, words } = waiting(status, sandbox);
    return (
      <div className={styles.veil} role="status">
        {icon}
        <p className={styles.words}>{words}</p>
      </div>
    );
  }
  if (problem) {
    const where = place(problem);
    return (
      <div className={styles.problem} role="alert">
        <p className={styles.problemHead}>
          <CircleAlert />
          <span>The animation does not run</span>
          {where && <code>{where}</code>}
        </p>
        <p className={styles.problemText}>{problem.message}</p>
        {onTellAgent && (
          <Button size="sm" className="nodrag" onClick={() => onTellAgent(problem)}>
            Tell the agent
          </Button>
        )}
      </div>
    );
  }
  return error ? (
    <p className={styles.note} role="status">
      {error.message}
    </p>
  ) : null;
}

function waiting(status: PreviewStatus, sandbox: SandboxView | null) {
  const spinner = <Spinner size={18} />;
  switch (status) {
    case "loading":
      return { icon: spinner, words: "Compiling the preview…" };
    case "reconnecting":
      return {
        icon: spinner,
        words:
          sandbox?.status === "lost" || sandbox?.status === "starting"
            ? "The sandbox was lost. A new one is being made…"
            : "Connecting to the preview again…",
      };
    case "waking":
      return {
        icon: spinner,
        words: sandbox?.status === "asleep" ? "Waking the sandbox…" : "Starting the sandbox…",
      };
    default:
      return sandbox?.status === "asleep"
        ? { icon: <MoonStar />, words: "The sandbox is asleep. It wakes when it is needed." }
        : { icon: <MonitorPlay />, words: "The preview appears with the first files." };
  }
}
