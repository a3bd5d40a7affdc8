/** An animation, large: its picture on one side, everything about it on the other. */

import { Dialog } from "@base-ui/react/dialog";
import {
  Clapperboard,
  Code,
  Download,
  History,
  MessagesSquare,
  MonitorPlay,
  Settings2,
  SlidersHorizontal,
  X,
} from "lucide-react";
import { lazy, Suspense, useEffect, useMemo } from "react";
import { useStore } from "zustand";
import type { SandboxStatus } from "../../../api/types";
import { Stage } from "../../../preview/Stage";
import { complaint } from "../../../session/again";
import { canPreview, engineOf, titleOf } from "../../../session/view";
import { ENGINE_NAMES } from "../../../session/words";
import { Button, IconButton } from "../../../ui/Button";
import { Spinner } from "../../../ui/Spinner";
import { TabPanel, Tabs } from "../../../ui/Tabs";
import { Tooltip } from "../../../ui/Tooltip";
import { DemoLabel, StatusBadge } from "../AnimationNode";
import { Composer } from "../chat/Composer";
import { Conversation } from "../chat/Conversation";
import { sceneMarks } from "../chat/plan-edit";
import { TodoBar } from "../chat/TodoBar";
import { type StudioTab, useAnimation, useView } from "../context";
import { Invitation } from "../Invitation";
import { SessionSpent } from "../SessionSpent";
import type { LiveSession } from "../sessions";
import { usePoster } from "../usePoster";
import styles from "./Studio.module.css";

const EditTab = lazy(() => import("./edit/EditTab"));
const CodeTab = lazy(() => import("./CodeTab"));
const VersionsTab = lazy(() => import("./VersionsTab"));
const ExportTab = lazy(() => import("./ExportTab"));
const SettingsTab = lazy(() => import("./SettingsTab"));

export default function Studio() {
  const { studio, openStudio, closeStudio, live } = useAnimation();
  const title = useView(titleOf);
  const engine = useView(engineOf);
  const versions = useView((view) => view.versions.length);
  const exports = useView((view) => view.renders.length);
  return (
    <Dialog.Root open={studio !== null} onOpenChange={(open) => !open && closeStudio()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.backdrop} />
        <Dialog.Popup className={styles.popup} data-tab={studio ?? "chat"}>
          <header className={styles.header}>
            <Clapperboard size={16} className={styles.icon} />
            <Dialog.Title className={styles.title}>{title ?? "Animation"}</Dialog.Title>
            {engine && <span className={styles.quiet}>{ENGINE_NAMES[engine]}</span>}
            <DemoLabel />
            <span className={styles.end}>
              <SessionSpent />
              <Sandbox />
              <StatusBadge />
              <Dialog.Close
                render={
                  <IconButton label="Close the studio">
                    <X />
                  </IconButton>
                }
              />
            </span>
          </header>
          <div className={styles.body}>
            <div className={styles.left}>{live ? <Large live={live} /> : <NothingYet />}</div>
            <Tabs<StudioTab>
              label="Parts of the animation"
              className={styles.panel ?? ""}
              listClassName={styles.tabs ?? ""}
              value={studio ?? "chat"}
              onChange={openStudio}
              tabs={[
                { value: "chat", label: "Chat", icon: <MessagesSquare /> },
                { value: "edit", label: "Edit", icon: <SlidersHorizontal /> },
                { value: "code", label: "Code", icon: <Code /> },
                {
                  value: "versions",
                  label: "Versions",
                  icon: <History />,
                  ...(versions ? { badge: versions } : {}),
                },
                {
                  value: "export",
                  label: "Export",
                  icon: <Download />,
                  ...(exports ? { badge: exports } : {}),
                },
                { value: "settings", label: "Settings", icon: <Settings2 /> },
              ]}
            >
              <TabPanel value="chat" className={styles.chat ?? ""}>
                <Conversation className={styles.talk} empty={<Invitation />} />
                <TodoBar />
                <Composer autoFocus />
              </TabPanel>
              <Suspense fallback={<Waiting />}>
                <TabPanel value="edit" className={styles.scrolls ?? ""}>
                  <EditTab />
                </TabPanel>
                <TabPanel value="code" className={styles.scrolls ?? ""}>
                  <CodeTab />
                </TabPanel>
                <TabPanel value="versions" className={styles.scrolls ?? ""}>
                  <VersionsTab />
                </TabPanel>
                <TabPanel value="export" className={styles.scrolls ?? ""}>
                  <ExportTab />
                </TabPanel>
                <TabPanel value="settings" className={styles.scrolls ?? ""}>
                  <SettingsTab />
                </TabPanel>
              </Suspense>
            </Tabs>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const Waiting = () => (
  <div className={styles.waiting}>
    <Spinner label="Loading" />
  </div>
);

function NothingYet() {
  return (
    <div className={styles.nothing}>
      <MonitorPlay size={28} strokeWidth={1.25} />
      <p>The picture appears here once a plan is approved.</p>
    </div>
  );
}

function Large({ live }: { live: LiveSession }) {
  const { send } = useAnimation();
  const { preview } = live;
  const available = useView(canPreview);
  const settings = useView((view) => view.settings);
  const sandbox = useView((view) => view.sandbox);
  const approved = useView((view) => view.approved);
  const title = useView((view) => view.title) ?? "animation";
  const versions = useView((view) => view.versions);
  const shown = useStore(preview.state, (it) => it.version);
  const poster = usePoster();
  useEffect(() => {
    preview.want(available);
  }, [preview, available]);
  useEffect(() => () => preview.want(false), [preview]);
  const marks = useMemo(
    () => (approved ? sceneMarks(approved, settings) : []),
    [approved, settings],
  );
  const older = versions.find((it) => it.id === shown);
  if (!approved) return <NothingYet />;
  return (
    <>
      {older && (
        <div className={styles.older} role="status">
          You are looking at version {older.number}.
          <Button size="sm" onClick={() => preview.show(null)}>
            Back to the newest
          </Button>
        </div>
      )}
      <Stage
        className={styles.stage ?? ""}
        preview={preview}
        title={title}
        aspect={settings.aspect}
        sandbox={sandbox}
        live
        poster={poster}
        onWake={() => preview.retry()}
        marks={older ? [] : marks}
        onTellAgent={(problem) => send(complaint(problem))}
      />
    </>
  );
}

const SANDBOX: Record<SandboxStatus, string> = {
  starting: "Sandbox starting",
  ready: "Sandbox ready",
  asleep: "Sandbox asleep",
  lost: "Sandbox lost, being replaced",
  failed: "Sandbox could not start",
};

function Sandbox() {
  const { config } = useAnimation();
  const sandbox = useView((view) => view.sandbox);
  if (!sandbox) return null;
  const started = sandbox.seconds ? `, started in ${sandbox.seconds.toFixed(1)} s` : "";
  return (
    <Tooltip label={`${sandbox.provider}: ${config.sandbox.isolation || "isolated"}${started}`}>
      <span className={styles.sandbox} data-status={sandbox.status}>
        {SANDBOX[sandbox.status]}
      </span>
    </Tooltip>
  );
}
