/** Words of the agent. The renderer is a chunk of its own; until it is here the words are shown as they are. */

import { lazy, memo, Suspense } from "react";
import styles from "./Markdown.module.css";

const Rich = lazy(() => import("./RichMarkdown"));

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const plain = <p className={styles.plain}>{text}</p>;
  return (
    <div className={styles.root}>
      {/[*_`#[\]|>~-]|\n/.test(text) ? (
        <Suspense fallback={plain}>
          <Rich text={text} />
        </Suspense>
      ) : (
        plain
      )}
    </div>
  );
});
