import { CloudAlert, CloudCheck, CloudOff, LoaderCircle, RefreshCw } from "lucide-react";
import { useStore } from "zustand";
import { sentence } from "../api/errors";
import type { Connection } from "../api/sse";
import type { SaveState } from "../store/autosave";
import { useProject } from "../store/project";
import { cx } from "../ui/cx";
import { Tooltip } from "../ui/Tooltip";
import styles from "./SaveIndicator.module.css";

interface Shown {
  label: string;
  detail: string;
  Icon: typeof CloudCheck;
  tone?: "busy" | "warn" | "bad";
}

/** Whether the server has everything, and whether it can be heard. */
export function SaveIndicator() {
  const { autosave, hub } = useProject();
  const save = useStore(autosave.state);
  const connection = useStore(hub.connection, (it) => it.connection);
  const { label, detail, Icon, tone } = shown(save, connection);
  return (
    <Tooltip label={detail}>
      <button
        type="button"
        className={cx(styles.state, tone && styles[tone])}
        onClick={() => {
          void autosave.flush();
          hub.wake();
        }}
      >
        <Icon size={15} />
        <span role="status">{label}</span>
      </button>
    </Tooltip>
  );
}

function shown(save: SaveState, connection: Connection): Shown {
  switch (save.status) {
    case "saving":
    case "dirty":
      return {
        label: "Saving…",
        detail: "Changes save by themselves.",
        Icon: LoaderCircle,
        tone: "busy",
      };
    case "offline":
      return {
        label: "Offline",
        detail: "Changes are kept in this browser and sent when the server is back.",
        Icon: CloudOff,
        tone: "warn",
      };
    case "conflict":
      return {
        label: "Choose a version",
        detail: "Another tab changed the same thing.",
        Icon: CloudAlert,
        tone: "bad",
      };
    case "gone":
      return {
        label: "Deleted",
        detail: "This project was deleted elsewhere.",
        Icon: CloudAlert,
        tone: "bad",
      };
    case "failed":
      return { label: "Not saved", detail: sentence(save.error), Icon: CloudAlert, tone: "bad" };
    case "saved":
      break;
  }
  if (connection.status === "retrying")
    return {
      label: "Reconnecting…",
      detail: "Everything is saved. Live updates come back by themselves.",
      Icon: RefreshCw,
      tone: "warn",
    };
  return { label: "Saved", detail: "Every change is saved by itself.", Icon: CloudCheck };
}
