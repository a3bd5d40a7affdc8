import type { Design, DesignPatch } from "../../../../api/types";
import { Field, Textarea } from "../../../../ui/Input";
import styles from "./EditTab.module.css";
import { useEdited } from "./useEdited";

interface WordsProps {
  design: Design;
  onChange: (patch: DesignPatch) => void;
}

/** Every word that the animation shows. */
export function Words({ design, onChange }: WordsProps) {
  const { lines } = design;
  return (
    <section className={styles.section} aria-label="Words">
      <h3>Words</h3>
      <Text label="Title" value={design.title} onDone={(title) => onChange({ title })} />
      <Text
        label="Subtitle"
        value={design.subtitle}
        onDone={(subtitle) => onChange({ subtitle })}
      />
      {lines.map((line, n) => (
        <Text
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
          key={n}
          label={`Line ${n + 1}`}
          value={line}
          onDone={(text) => onChange({ lines: lines.with(n, text) })}
        />
      ))}
    </section>
  );
}

interface TextProps {
  label: string;
  value: string;
  onDone: (text: string) => void;
}

function Text({ label, value, onDone }: TextProps) {
  const { draft, setDraft, done, reset } = useEdited(value, onDone);
  return (
    <Field label={label}>
      {(ids) => (
        <Textarea
          {...ids}
          rows={1}
          maxLength={500}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={done}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === "Enter" && !event.shiftKey) {
              event.preventDefault();
              done();
            } else if (event.key === "Escape" && draft !== value) {
              event.stopPropagation();
              reset();
            }
          }}
        />
      )}
    </Field>
  );
}
