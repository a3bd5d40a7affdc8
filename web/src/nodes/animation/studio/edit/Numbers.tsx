import { Plus, X } from "lucide-react";
import type { Design, DesignPatch } from "../../../../api/types";
import { Button, IconButton } from "../../../../ui/Button";
import { Input } from "../../../../ui/Input";
import { Row } from "../Row";
import styles from "./EditTab.module.css";
import { useEdited } from "./useEdited";

const MOST = 60;

interface NumbersProps {
  design: Design;
  onChange: (patch: DesignPatch) => void;
}

/** The numbers of a chart. */
export function Numbers({ design, onChange }: NumbersProps) {
  const { data } = design;
  const more = design as Record<string, unknown>;
  const affix = (key: "prefix" | "suffix") => (typeof more[key] === "string" ? more[key] : "");
  return (
    <section className={styles.section} aria-label="Numbers">
      <h3>Numbers</h3>
      {data.map((datum, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a number is its place
        <div key={n} className={styles.datum}>
          <Box
            label={`Label of number ${n + 1}`}
            value={datum.label}
            onDone={(label) => onChange({ data: data.with(n, { ...datum, label }) })}
          />
          <Box
            label={`Number ${n + 1}`}
            value={`${datum.value}`}
            number
            onDone={(text) => onChange({ data: data.with(n, { ...datum, value: Number(text) }) })}
          />
          <IconButton
            size="sm"
            label={`Remove number ${n + 1}`}
            disabled={data.length === 1}
            onClick={() => onChange({ data: data.toSpliced(n, 1) })}
          >
            <X />
          </IconButton>
        </div>
      ))}
      <Button
        size="sm"
        icon={<Plus />}
        disabled={data.length >= MOST}
        onClick={() =>
          onChange({ data: [...data, { label: "New", value: data.at(-1)?.value ?? 1 }] })
        }
      >
        Add a number
      </Button>
      <div className={styles.pair}>
        <Row label="Before each number">
          <Box
            label="Before each number"
            value={affix("prefix")}
            onDone={(prefix) => onChange({ prefix })}
          />
        </Row>
        <Row label="After each number">
          <Box
            label="After each number"
            value={affix("suffix")}
            onDone={(suffix) => onChange({ suffix })}
          />
        </Row>
      </div>
    </section>
  );
}

interface BoxProps {
  label: string;
  value: string;
  number?: boolean;
  onDone: (text: string) => void;
}

function Box({ label, value, number, onDone }: BoxProps) {
  const { draft, setDraft, done, reset } = useEdited(value, onDone);
  const wrong = number === true && (draft.trim() === "" || !Number.isFinite(Number(draft)));
  return (
    <Input
      aria-label={label}
      inputMode={number ? "decimal" : "text"}
      invalid={wrong}
      value={draft}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => (wrong ? reset() : done())}
      onKeyDown={(event) => event.key === "Enter" && !wrong && done()}
    />
  );
}
