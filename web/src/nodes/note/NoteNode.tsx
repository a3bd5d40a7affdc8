import { useNodeActions } from "../../store/project";
import { cx } from "../../ui/cx";
import type { NodeViewProps } from "../types";
import { useDraft } from "../useDraft";
import styles from "./NoteNode.module.css";

const COLORS = ["sand", "rose", "sage", "sky", "stone"] as const;
type NoteColor = (typeof COLORS)[number];

export function NoteNode({ id, data, selected }: NodeViewProps) {
  const { setData } = useNodeActions(id);
  const text = typeof data.text === "string" ? data.text : "";
  const color: NoteColor = COLORS.find((it) => it === data.color) ?? "sand";
  const field = useDraft(text, (next) =>
    setData({ text: next }, { label: "edit note", key: `note:${id}` }),
  );
  return (
    <div className={cx(styles.root, styles[color])}>
      <div className={styles.grip}>
        {selected && (
          <div className={cx(styles.colors, "nodrag")} role="radiogroup" aria-label="Colour">
            {COLORS.map((it) => (
              // biome-ignore lint/a11y/useSemanticElements: a radio input cannot be drawn as a swatch here
              <button
                key={it}
                type="button"
                role="radio"
                aria-checked={it === color}
                aria-label={it}
                className={cx(styles.swatch, styles[it])}
                onClick={() => setData({ color: it }, { label: "colour" })}
              />
            ))}
          </div>
        )}
      </div>
      <textarea
        {...field}
        className={cx(styles.field, "nodrag nopan nowheel")}
        aria-label="Note"
        placeholder="Write a note…"
        maxLength={20_000}
      />
    </div>
  );
}
