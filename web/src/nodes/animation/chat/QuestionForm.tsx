/** The agent's questions; the answer is a message. */

import { type FormEvent, memo, useId, useState } from "react";
import type { Question, QuestionField } from "../../../api/types";
import type { QuestionItem } from "../../../session/view";
import { Button } from "../../../ui/Button";
import { cx } from "../../../ui/cx";
import { useAnimation, useSession } from "../context";
import styles from "./QuestionForm.module.css";

export type Answers = Readonly<Record<string, readonly string[]>>;

/** Answers in words, as the message that is sent. */
export function answerText(question: Question, answers: Answers): string {
  return question.fields
    .flatMap((field) => {
      const given = (answers[field.id] ?? []).map((it) => it.trim()).filter(Boolean);
      return given.length > 0 ? [`${field.label} ${given.join(", ")}`] : [];
    })
    .join("\n");
}

export const QuestionForm = memo(function QuestionForm({ item }: { item: QuestionItem }) {
  const { send } = useAnimation();
  const waits = useSession((data) => data.pending.length > 0);
  const [answers, setAnswers] = useState<Answers>({});
  const { question } = item;
  const text = answerText(question, answers);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text && item.open) send(text);
  };
  return (
    <form className={cx(styles.form, "nodrag nopan")} data-open={item.open} onSubmit={submit}>
      <p className={styles.intro}>{question.intro}</p>
      {item.open &&
        question.fields.map((field) => (
          <Field
            key={field.id}
            field={field}
            value={answers[field.id] ?? []}
            onChange={(value) => setAnswers({ ...answers, [field.id]: value })}
          />
        ))}
      {item.open ? (
        <footer className={styles.foot}>
          <Button type="submit" variant="primary" size="sm" disabled={!text || waits}>
            Answer
          </Button>
          <Button
            size="sm"
            variant="ghost"
            disabled={waits}
            onClick={() => send("You decide; propose a plan.")}
          >
            You decide
          </Button>
        </footer>
      ) : (
        <ul className={styles.asked}>
          {question.fields.map((field) => (
            <li key={field.id}>{field.label}</li>
          ))}
        </ul>
      )}
    </form>
  );
});

interface FieldProps {
  field: QuestionField;
  value: readonly string[];
  onChange: (value: readonly string[]) => void;
}

function Field({ field, value, onChange }: FieldProps) {
  const id = useId();
  if (field.kind === "text" || field.options.length === 0) {
    return (
      <div className={styles.field}>
        <label htmlFor={id}>{field.label}</label>
        <textarea
          id={id}
          className={cx(styles.text, "nowheel")}
          rows={1}
          value={value[0] ?? ""}
          onChange={(event) => onChange([event.target.value])}
        />
      </div>
    );
  }
  const many = field.kind === "multiple_choice";
  return (
    <fieldset className={styles.field}>
      <legend>{field.label}</legend>
      <div className={styles.options}>
        {field.options.map((option) => (
          <label key={option} className={styles.option}>
            <input
              type={many ? "checkbox" : "radio"}
              name={`${id}-${field.id}`}
              checked={value.includes(option)}
              onChange={(event) => {
                if (!many) onChange([option]);
                else if (event.target.checked) onChange([...value, option]);
                else onChange(value.filter((it) => it !== option));
              }}
            />
            {option}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
