/** The animation node on the canvas: picture, the newest exchange, and where a person writes. */

import {
  Clapperboard,
  Code,
  Download,
  History,
  Maximize2,
  MessagesSquare,
  MoreHorizontal,
  Settings2,
  SlidersHorizontal,
  Trash2,
} from "lucide-react";
import { lazy, type RefObject, Suspense, useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import { dataString } from "../../graph/document";
import { Stage } from "../../preview/Stage";
import { acquire, MAX_LIVE, release, slots } from "../../preview/slots";
import { useNear } from "../../preview/useNear";
import { complaint } from "../../session/again";
import { canPreview, canWarmUp, engineOf, titleOf } from "../../session/view";
import { ENGINE_BADGES } from "../../session/words";
import { Badge } from "../../ui/Badge";
import { IconButton } from "../../ui/Button";
import { Menu } from "../../ui/Menu";
import { Spinner } from "../../ui/Spinner";
import { Tooltip } from "../../ui/Tooltip";
import type { NodeViewProps } from "../types";
import styles from "./AnimationNode.module.css";
import { Composer } from "./chat/Composer";
import { Conversation } from "./chat/Conversation";
import { sceneMarks } from "./chat/plan-edit";
import { TodoBar } from "./chat/TodoBar";
import { AnimationProvider, useAnimation, useAnimationNode, useSession, useView } from "./context";
import { Invitation } from "./Invitation";
import { SessionSpent } from "./SessionSpent";
import type { LiveSession } from "./sessions";
import { describe } from "./status";
import { usePoster } from "./usePoster";

const Studio = lazy(() => import("./studio/Studio"));

export function AnimationNode({ id, data, selected }: NodeViewProps) {
  const sessionId = dataString({ data } as Parameters<typeof dataString>[0], "session_id");
  const animation = useAnimationNode(id, sessionId);
  const root = useRef<HTMLDivElement>(null);
  useOpenKey(root, () => animation.openStudio("chat"));
  return (
    <AnimationProvider value={animation}>
      <div ref={root} className={styles.root}>
        <Header />
        <Picture selected={selected} />
        <Conversation brief className={styles.talk} empty={<Invitation />} />
        <TodoBar />
        <Composer aside={<SessionSpent />} />
      </div>
      {animation.studio && (
        <Suspense>
          <Studio />
        </Suspense>
      )}
    </AnimationProvider>
  );
}

/** Enter on the node, or a double click on it, opens the studio. */
function useOpenKey(ref: RefObject<HTMLElement | null>, open: () => void): void {
  const latest = useRef(open);
  latest.current = open;
  useEffect(() => {
    const frame = ref.current?.closest<HTMLElement>("[data-node-frame]") ?? ref.current;
    if (!frame) return;
    const onKey = (event: KeyboardEvent) => {
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
      if (event.key !== "Enter" || !plain || event.target !== frame) return;
      event.preventDefault();
      event.stopPropagation();
      latest.current();
    };
    frame.addEventListener("keydown", onKey);
    return () => frame.removeEventListener("keydown", onKey);
  }, [ref]);
}

export function StatusBadge() {
  const view = useSession((data) => data.view);
  const pending = useSession((data) => data.pending);
  const status = useMemo(() => describe({ view, pending }), [view, pending]);
  return (
    <Badge tone={status.tone} className={styles.status ?? ""}>
      {status.busy && <Spinner size={10} />}
      <span role="status">{status.label}</span>
    </Badge>
  );
}

export function DemoLabel() {
  const { config } = useAnimation();
  const model = useView((view) => view.model) ?? config.models.orchestrator;
  if (model.is_ai) return null;
  return (
    <Tooltip label="No model is configured. The demo picks one of the built-in recipes.">
      <span className={styles.demo}>Demo model · not AI</span>
    </Tooltip>
  );
}

function Header() {
  const { openStudio, remove } = useAnimation();
  const title = useView(titleOf);
  const engine = useView(engineOf);
  const hasVersion = useView((view) => view.versions.length > 0);
  const busy = useView((view) => view.turn !== null);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Enter on the node does the same
    <header className={styles.header} onDoubleClick={() => openStudio("chat")}>
      <Clapperboard size={14} className={styles.icon} />
      <span className={styles.title}>{title ?? "Animation"}</span>
      {engine && <span className={styles.engine}>{ENGINE_BADGES[engine]}</span>}
      {/* What it does takes the room while it does something. */}
      {!busy && <DemoLabel />}
      <span className={styles.end}>
        <StatusBadge />
        <Tooltip label="Open the studio" shortcut="enter">
          <IconButton
            label="Open the studio"
            size="sm"
            className="nodrag"
            onClick={() => openStudio("chat")}
          >
            <Maximize2 />
          </IconButton>
        </Tooltip>
        <Menu
          align="end"
          trigger={
            <IconButton label="More" size="sm" className="nodrag">
              <MoreHorizontal />
            </IconButton>
          }
          items={[
            {
              label: "Conversation",
              icon: <MessagesSquare />,
              onSelect: () => openStudio("chat"),
            },
            {
              label: "Edit words and colours",
              icon: <SlidersHorizontal />,
              disabled: !hasVersion,
              onSelect: () => openStudio("edit"),
            },
            {
              label: "Export",
              icon: <Download />,
              disabled: !hasVersion,
              onSelect: () => openStudio("export"),
            },
            {
              label: "Versions",
              icon: <History />,
              disabled: !hasVersion,
              onSelect: () => openStudio("versions"),
            },
            { label: "Code", icon: <Code />, onSelect: () => openStudio("code") },
            { label: "Settings", icon: <Settings2 />, onSelect: () => openStudio("settings") },
            { type: "separator" },
            { label: "Delete node", icon: <Trash2 />, danger: true, onSelect: remove },
          ]}
        />
      </span>
    </header>
  );
}

/** The picture, once there is or soon will be something to see. */
function Picture({ selected }: { selected: boolean }) {
  const { live } = useAnimation();
  const approved = useView((view) => view.approved !== null);
  const warm = useView(canWarmUp);
  return live && (approved || warm) ? <LivePicture live={live} selected={selected} /> : null;
}

function LivePicture({ live, selected }: { live: LiveSession; selected: boolean }) {
  const { studio, send, openStudio, nodeId } = useAnimation();
  const { preview } = live;
  const root = useRef<HTMLDivElement>(null);
  const near = useNear(root);
  const isLive = useStore(slots, (it) => it.live.includes(nodeId));
  const available = useView(canPreview);
  const warmable = useView(canWarmUp);
  // A page for what nobody sees yet takes no place from what is seen.
  const free = useStore(slots, (it) => it.live.length < MAX_LIVE);
  const settings = useView((view) => view.settings);
  const sandbox = useView((view) => view.sandbox);
  const title = useView((view) => view.title) ?? "animation";
  const approved = useView((view) => view.approved);
  const works = useView((view) => view.turn !== null);
  const poster = usePoster();

  const wanted = near && available;
  const urgent = selected || works;
  useEffect(() => {
    if (wanted) acquire(nodeId, urgent);
    else release(nodeId);
  }, [wanted, urgent, nodeId]);
  useEffect(() => () => release(nodeId), [nodeId]);
  // In the studio the preview is shown there, and only there.
  const inStudio = studio !== null;
  // Also in the moment between the first files and the place that the preview then takes.
  const ahead = near && warmable && free;
  const shows = ((wanted && isLive) || ahead) && !inStudio;
  useEffect(() => {
    if (!inStudio) preview.want(shows);
  }, [preview, shows, inStudio]);
  useEffect(() => () => preview.want(false), [preview]);

  const marks = useMemo(
    () => (approved ? sceneMarks(approved, settings) : []),
    [approved, settings],
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Enter on the node does the same
    <div
      ref={root}
      className={styles.picture}
      data-aspect={settings.aspect}
      // The page is loaded while the plan is read.
      data-ahead={approved === null || undefined}
      onDoubleClick={() => openStudio("chat")}
    >
      <Stage
        compact
        className={styles.stage ?? ""}
        preview={preview}
        title={title}
        aspect={settings.aspect}
        sandbox={sandbox}
        // A second page behind the studio would say of every frame something else.
        live={!inStudio && (!available || isLive || ahead)}
        poster={poster}
        onWake={() => acquire(nodeId, true)}
        marks={marks}
        onTellAgent={(problem) => send(complaint(problem))}
      />
    </div>
  );
}
