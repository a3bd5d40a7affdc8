import {
  ArrowLeft,
  CircleHelp,
  CopyPlus,
  Download,
  Ellipsis,
  FlaskConical,
  Search,
  Server,
  Upload,
} from "lucide-react";
import { useEffect, useState } from "react";
import { api } from "../api/client";
import type { Session } from "../api/types";
import { ThemeMenu } from "../app/ThemeMenu";
import { add, cached, duration, inShort, NOTHING_SPENT, ofCall } from "../session/spend";
import { useConfigState } from "../store/config";
import { useDocument, useProject } from "../store/project";
import { uiStore } from "../store/ui";
import { Badge } from "../ui/Badge";
import { IconButton } from "../ui/Button";
import { InlineEdit } from "../ui/InlineEdit";
import { Menu } from "../ui/Menu";
import { Popover } from "../ui/Popover";
import { Tooltip } from "../ui/Tooltip";
import { action } from "./actions";
import { useEditor } from "./editor";
import { SaveIndicator } from "./SaveIndicator";
import styles from "./TopBar.module.css";

export function TopBar({ onDuplicate }: { onDuplicate: () => void }) {
  const editor = useEditor();
  const { store } = useProject();
  const name = useDocument((it) => it.name);
  const run = (id: string) => action(id).run(editor);
  return (
    <header className={styles.bar}>
      <div className={styles.group}>
        <Tooltip label="All projects">
          <IconButton label="All projects" onClick={editor.leave}>
            <ArrowLeft />
          </IconButton>
        </Tooltip>
        <InlineEdit
          label="Project name"
          value={name}
          onChange={(next) => store.rename(next)}
          className={styles.name ?? ""}
        />
        <SaveIndicator />
      </div>
      <div className={styles.group}>
        <ModelBadge />
        <SandboxInfo />
        <button
          type="button"
          className={styles.search}
          onClick={() => uiStore.setState({ palette: true })}
        >
          <Search size={14} /> Search
        </button>
        <ThemeMenu />
        <Tooltip label="Keyboard shortcuts" shortcut="?">
          <IconButton label="Keyboard shortcuts" onClick={() => uiStore.setState({ help: true })}>
            <CircleHelp />
          </IconButton>
        </Tooltip>
        <Menu
          align="end"
          trigger={
            <IconButton label="More">
              <Ellipsis />
            </IconButton>
          }
          items={[
            { label: "Duplicate project", icon: <CopyPlus />, onSelect: onDuplicate },
            { type: "separator" },
            { label: "Import files or a canvas…", icon: <Upload />, onSelect: () => run("import") },
            { label: "Export as JSON", icon: <Download />, onSelect: () => run("export") },
          ]}
        />
      </div>
    </header>
  );
}

/** Says plainly where no AI is at work. */
function ModelBadge() {
  const { config } = useConfigState();
  if (!config || config.models.orchestrator.is_ai) return null;
  return (
    <Popover
      title="Demo model"
      trigger={
        <button type="button" className={styles.demo}>
          <Badge tone="warning" icon={<FlaskConical />}>
            Demo model — not AI
          </Badge>
        </button>
      }
    >
      <div className={styles.info}>
        <h2>This is the demo model</h2>
        <p>
          It picks a ready-made recipe by the words of your prompt and fills in text, colours and
          timing. Everything else is real: the plan, the check, the preview, the export.
        </p>
        <p>Set a model key on the server to have animations written from scratch.</p>
      </div>
    </Popover>
  );
}

/** How many of a session's turns the server remembers. */
const REMEMBERED_TURNS = 20;

/** What the project's animations have used so far; asked for when it is looked at. */
function ProjectUsage() {
  const { id } = useProject();
  const { config } = useConfigState();
  const [sessions, setSessions] = useState<readonly Session[] | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    api.projects.sessions(id, stop.signal).then(
      (list) => setSessions(list.items),
      // The line stays away; whatever else needs the server says that it cannot be reached.
      () => undefined,
    );
    return () => stop.abort();
  }, [id]);
  if (!sessions) return null;
  const free = config?.models.orchestrator.is_ai === false;
  const spend = sessions
    .map(({ state: { usage, turns } }) => {
      const ms = turns.reduce((sum, turn) => sum + turn.total_ms, 0);
      return ofCall(usage, ms / 1000, free);
    })
    .reduce(add, NOTHING_SPENT);
  const more = sessions.some(({ state }) => state.turns.length >= REMEMBERED_TURNS);
  const share = cached(spend.usage);
  return (
    <>
      <dt>This project</dt>
      <dd>
        {inShort(spend)}
        {spend.seconds > 0 && (
          <small>
            {more && "more than "}
            {duration(spend.seconds)} at work
            {share ? `, ${share} % of what was read from cache` : ""}
          </small>
        )}
      </dd>
    </>
  );
}

function SandboxInfo() {
  const { config } = useConfigState();
  if (!config) return null;
  const { orchestrator, code_generator: coder } = config.models;
  return (
    <Popover
      title="This server"
      trigger={
        <IconButton label="About this server">
          <Server />
        </IconButton>
      }
    >
      <dl className={styles.facts}>
        <dt>Sandboxes</dt>
        <dd>
          {config.sandbox.name}
          <small>{config.sandbox.isolation}</small>
        </dd>
        <dt>Plans</dt>
        <dd>
          {orchestrator.model}
          <small>{orchestrator.provider}</small>
        </dd>
        <dt>Code</dt>
        <dd>
          {coder.model}
          <small>{coder.provider}</small>
        </dd>
        <ProjectUsage />
        <dt>Koda</dt>
        <dd>{config.version}</dd>
      </dl>
    </Popover>
  );
}
