import { PREVIEW_KEYS } from "../preview/keys";
import { uiStore, useUi } from "../store/ui";
import { Dialog } from "../ui/Dialog";
import { Kbd } from "../ui/Kbd";
import { type Action, actions, type Group } from "./actions";
import styles from "./Help.module.css";

/** Gestures that are not actions. */
const GESTURES: [label: string, keys: string][] = [
  ["Move the view", "space"],
  ["Add to the selection", "shift"],
  ["Go into a node", "enter"],
  ["Next node or control", "tab"],
];

const ORDER: Group[] = ["Add", "Edit", "View", "Arrange", "Help"];

/** Every shortcut, from the list that the keys themselves use. */
export function Help() {
  const open = useUi((it) => it.help);
  const shown = actions.filter((it) => it.keys && !it.id.startsWith("shove."));
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => uiStore.setState({ help: next })}
      title="Keyboard shortcuts"
      size="lg"
    >
      <div className={styles.columns}>
        {ORDER.map((group) => (
          <Section key={group} title={group} list={shown.filter((it) => it.group === group)} />
        ))}
        <section className={styles.section}>
          <h3>Gestures</h3>
          <dl>
            {GESTURES.map(([label, keys]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>
                  <Kbd keys={keys} />
                </dd>
              </div>
            ))}
            <div>
              <dt>Add something here</dt>
              <dd>Double-click</dd>
            </div>
          </dl>
        </section>
        <section className={styles.section}>
          <h3>Preview, after a click on it</h3>
          <dl>
            {PREVIEW_KEYS.map(([label, keys]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd className={styles.several}>
                  {keys.map((it) => (
                    <Kbd key={it} keys={it} />
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}

function Section({ title, list }: { title: string; list: Action[] }) {
  return (
    <section className={styles.section}>
      <h3>{title}</h3>
      <dl>
        {list.map((it) => (
          <div key={it.id}>
            <dt>{it.label}</dt>
            <dd>
              <Kbd keys={it.keys?.[0] ?? ""} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
