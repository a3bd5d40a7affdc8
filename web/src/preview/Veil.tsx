/** What lies over the picture: what it waits for, or what is wrong with it. */

import { CircleAlert, MonitorPlay, MoonStar, Play } from "lucide-react";
import { useStore } from "zustand";
import type { SandboxView } from "../session/view";
import { place } from "../session/words";
import { Button } from "../ui/Button";
import { cx } from "../ui/cx";
import { Spinner } from "../ui/Spinner";
import type { Preview, PreviewStatus } from "./controller";
import type { PreviewProblem } from "./protocol";
import styles from "./Veil.module.css";

interface VeilProps {
  preview: Preview;
  status: PreviewStatus;
  sandbox: SandboxView | null;
  live: boolean;
  poster?: string | null;
  onWake: () => void;
  onTellAgent?: ((problem: PreviewProblem) => void) | undefined;
}

export function Veil({ preview, status, sandbox, live, poster, onWake, onTellAgent }: VeilProps) {
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
      // The page has a card of its own under it, for where it is opened by itself.
      <div className={cx(styles.veil, styles.covers)}>
        <div className={cx(styles.problem, "nodrag nowheel")} role="alert">
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
