/** Words, colours, fonts, numbers and pace of what was built, changed by hand: no agent is asked. */

import { SlidersHorizontal } from "lucide-react";
import { useEffect, useState } from "react";
import { api } from "../../../../api/client";
import { type ApiError, asApiError, isAbort } from "../../../../api/errors";
import type { DesignPatch, EditableDesign } from "../../../../api/types";
import { DESIGN_FILE } from "../../../../session/view";
import { EmptyState } from "../../../../ui/EmptyState";
import { ErrorNotice } from "../../../../ui/ErrorNotice";
import { Select } from "../../../../ui/Select";
import { Skeleton } from "../../../../ui/Skeleton";
import { useAnimation, useSession, useView } from "../../context";
import type { LiveSession } from "../../sessions";
import { ColorField } from "../ColorField";
import { Row } from "../Row";
import styles from "./EditTab.module.css";
import { Numbers } from "./Numbers";
import { Pace } from "./Pace";
import { Words } from "./Words";

const ROLES = [
  ["background", "Background"],
  ["primary", "Main"],
  ["accent", "Accent"],
  ["text", "Text"],
] as const;

export default function EditTab() {
  const { live } = useAnimation();
  const built = useView((view) => view.versions.length > 0);
  if (!live || !built) {
    return (
      <EmptyState icon={<SlidersHorizontal />} title="Nothing to edit yet">
        Words, colours, fonts and pace can be changed here as soon as there is a first version.
      </EmptyState>
    );
  }
  return <Editor live={live} />;
}

/** The design as the server has it, read again whenever its file is another one. */
function useDesign(live: LiveSession): { found: EditableDesign | null; problem: ApiError | null } {
  const blob = useView((view) => view.files[DESIGN_FILE]?.blob);
  const [found, setFound] = useState<EditableDesign | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const { id } = live.session;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the blob names the content that is read
  useEffect(() => {
    const stop = new AbortController();
    api.sessions.design(id, stop.signal).then(
      (it) => {
        setFound(it);
        setProblem(null);
      },
      (thrown: unknown) => {
        if (!isAbort(thrown)) setProblem(asApiError(thrown));
      },
    );
    return () => stop.abort();
  }, [id, blob]);
  return { found, problem };
}

function Editor({ live }: { live: LiveSession }) {
  const { found, problem } = useDesign(live);
  const error = useSession((data) => data.errors.design);
  // What is changed by hand runs as a turn too, and another change may follow at once.
  const works = useView((view) => view.turn !== null && view.turn.input.type !== "settings");
  const edit = (patch: DesignPatch) => void live.session.actions.editDesign(patch);
  return (
    <div className={styles.root}>
      {works && (
        <p className={styles.note} role="status">
          The agent is at work. Stop it or wait, then change things by hand.
        </p>
      )}
      {error && <ErrorNotice title="This change was not taken" error={error} />}
      {problem ? (
        <ErrorNotice title="Words and colours cannot be changed here" error={problem} />
      ) : found ? (
        <fieldset disabled={works} className={styles.fields}>
          <Words design={found.design} onChange={edit} />
          <Look found={found} disabled={works} onChange={edit} />
          {found.design.data.length > 0 && <Numbers design={found.design} onChange={edit} />}
        </fieldset>
      ) : (
        <Skeleton height="14rem" />
      )}
      <Pace disabled={works} design={found?.design ?? null} onChange={edit} />
    </div>
  );
}

interface LookProps {
  found: EditableDesign;
  disabled: boolean;
  onChange: (patch: DesignPatch) => void;
}

function Look({ found, disabled, onChange }: LookProps) {
  const { colors, fonts } = found.design;
  return (
    <section className={styles.section} aria-label="Colours and fonts">
      <h3>Colours and fonts</h3>
      <div className={styles.colors}>
        {ROLES.map(([role, name]) => (
          <ColorField
            key={role}
            name={name}
            value={colors[role]}
            disabled={disabled}
            onChange={(color) => onChange({ colors: { [role]: color } })}
          />
        ))}
      </div>
      <div className={styles.pair}>
        {(["title", "body"] as const).map((role) => {
          const label = role === "title" ? "Font of titles" : "Font of text";
          const known = found.fonts.includes(fonts[role]);
          const families = known ? found.fonts : [fonts[role], ...found.fonts];
          return (
            <Row key={role} label={label}>
              <Select
                label={label}
                value={fonts[role]}
                disabled={disabled}
                onChange={(font) => onChange({ fonts: { [role]: font } })}
                options={families.map((value) => ({ value, label: value }))}
              />
            </Row>
          );
        })}
      </div>
    </section>
  );
}
