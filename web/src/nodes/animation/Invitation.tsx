/** What a new node says: what it is for, and a few ways to begin. */

import { ArrowUpRight } from "lucide-react";
import { cx } from "../../ui/cx";
import { useAnimation } from "./context";
import styles from "./Invitation.module.css";

export function Invitation() {
  const { config, draft } = useAnimation();
  return (
    <div className={styles.root}>
      <h3 className={styles.title}>What should move?</h3>
      <p className={styles.words}>
        Describe it in a sentence. You get a plan to approve, then a live preview to talk about,
        then a video.
      </p>
      {config.examples.length > 0 && (
        <ul className={cx(styles.examples, "nodrag")}>
          {config.examples.slice(0, 5).map((example) => (
            <li key={example.title}>
              <button type="button" onClick={() => draft.setState({ text: example.prompt })}>
                <span>
                  <strong>{example.title}</strong>
                  <span className={styles.prompt}>{example.prompt}</span>
                </span>
                <ArrowUpRight size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
