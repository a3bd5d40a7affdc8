import { useConfig } from "../store/config";
import { useDocument } from "../store/project";
import { Kbd } from "../ui/Kbd";
import { addNode, startAnimation } from "./adding";
import styles from "./EmptyCanvas.module.css";
import { useEditor } from "./editor";

/** What to do with a canvas that has nothing on it. */
export function EmptyCanvas() {
  const editor = useEditor();
  const empty = useDocument((it) => it.document.nodes.length === 0);
  const examples = useConfig().examples.slice(0, 3);
  if (!empty) return null;
  return (
    <div className={styles.root}>
      <h2>An empty stage</h2>
      <p>
        Add an animation and say what should move. Double-click anywhere, press <Kbd keys="a" />, or
        drop files.
      </p>
      <div className={styles.actions}>
        <button type="button" className={styles.main} onClick={() => addNode(editor, "animation")}>
          Add an animation
        </button>
        {examples.map(({ title, prompt }) => (
          <button
            key={title}
            type="button"
            title={prompt}
            onClick={() => void startAnimation(editor, prompt)}
          >
            {title}
          </button>
        ))}
      </div>
    </div>
  );
}
