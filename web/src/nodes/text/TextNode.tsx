import { Type } from "lucide-react";
import { useNodeActions } from "../../store/project";
import { NodeHeader } from "../NodeHeader";
import type { NodeViewProps } from "../types";
import { useDraft } from "../useDraft";
import styles from "./TextNode.module.css";

export function TextNode({ id, data }: NodeViewProps) {
  const { setData } = useNodeActions(id);
  const text = typeof data.text === "string" ? data.text : "";
  const field = useDraft(text, (next) =>
    setData({ text: next }, { label: "edit text", key: `text:${id}` }),
  );
  const words = text.trim() ? text.trim().split(/\s+/).length : 0;
  return (
    <div className={styles.root}>
      <NodeHeader
        Icon={Type}
        title="Text"
        detail={words > 0 ? `${words} ${words === 1 ? "word" : "words"}` : undefined}
      />
      <textarea
        {...field}
        className={`${styles.field} nodrag nopan nowheel`}
        aria-label="Text for prompts"
        placeholder="A brief, a script, a tone of voice… Connect it to an animation’s prompt."
        maxLength={20_000}
        spellCheck
      />
    </div>
  );
}
