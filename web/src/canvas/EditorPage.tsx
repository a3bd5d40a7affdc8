import { ReactFlowProvider } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { api } from "../api/client";
import { type ApiError, asApiError, isAbort } from "../api/errors";
import type { Project } from "../api/types";
import { loadConfig } from "../store/config";
import { type OpenProject, ProjectProvider } from "../store/project";
import { uiStore } from "../store/ui";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { ErrorNotice } from "../ui/ErrorNotice";
import { Spinner } from "../ui/Spinner";
import { toast } from "../ui/Toast";
import { AddMenu } from "./AddMenu";
import { Banner } from "./Banner";
import { Canvas } from "./Canvas";
import { CanvasMenu } from "./CanvasMenu";
import { Dock, ZoomControls } from "./Dock";
import styles from "./EditorPage.module.css";
import { EmptyCanvas } from "./EmptyCanvas";
import { createCanvasUi, type Editor, EditorProvider } from "./editor";
import { createFlow, type Flow } from "./flow";
import { Help } from "./Help";
import { openProject } from "./openProject";
import { Palette } from "./Palette";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./useShortcuts";

/** `/p/:id`: loads a project and opens the editor on it. */
export default function EditorPage({ id }: { id: string }) {
  const [project, setProject] = useState<Project | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [, navigate] = useLocation();

  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks again
  useEffect(() => {
    const controller = new AbortController();
    setProject(null);
    setError(null);
    void loadConfig();
    api.projects.get(id, controller.signal).then(setProject, (thrown: unknown) => {
      if (!isAbort(thrown)) setError(asApiError(thrown));
    });
    return () => controller.abort();
  }, [id, attempt]);

  if (error?.code === "not_found" || error?.code === "bad_request") {
    return (
      <main className={styles.center}>
        <EmptyState
          title="This project does not exist"
          action={
            <Button variant="primary" onClick={() => navigate("/")}>
              All projects
            </Button>
          }
        >
          It may have been deleted, or the address is incomplete.
        </EmptyState>
      </main>
    );
  }
  if (error) {
    return (
      <main className={styles.center}>
        <ErrorNotice
          title="The project could not be opened"
          error={error}
          onRetry={() => setAttempt((it) => it + 1)}
        />
      </main>
    );
  }
  if (!project || project.id !== id) {
    return (
      <main className={styles.center}>
        <Spinner size={22} label="Opening the project" />
      </main>
    );
  }
  return <OpenedProject key={project.id} project={project} />;
}

interface Opened {
  open: OpenProject;
  flow: Flow;
}

/** Owns the stores of one project for as long as it is on screen. */
function OpenedProject({ project }: { project: Project }) {
  const [opened, setOpened] = useState<Opened | null>(null);
  useEffect(() => {
    const { open, close } = openProject(project);
    const flow = createFlow(open.store);
    setOpened({ open, flow });
    document.title = `${project.name} · Koda`;
    const unsubscribe = open.store.subscribe(({ name }) => {
      document.title = `${name} · Koda`;
    });
    return () => {
      setOpened(null);
      unsubscribe();
      flow.stop();
      close();
      document.title = "Koda";
      uiStore.setState({ palette: false, help: false, tool: "select" });
    };
  }, [project]);
  return opened && <EditorView {...opened} />;
}

function EditorView({ open, flow }: Opened) {
  const [, navigate] = useLocation();
  const view = useRef<Editor["view"]["current"]>(null);
  const surface = useRef<HTMLDivElement>(null);
  const pointer = useRef<Editor["pointer"]["current"]>(null);
  const leave = useCallback(() => navigate("/"), [navigate]);
  const editor = useMemo<Editor>(
    () => ({ project: open, flow, ui: createCanvasUi(), view, surface, pointer, leave }),
    [open, flow, leave],
  );
  useShortcuts(editor);

  const duplicate = async () => {
    try {
      await open.autosave.flush();
      const copy = await api.projects.duplicate(open.id);
      navigate(`/p/${copy.id}`);
      toast.success("This is the copy", `It is called “${copy.name}”.`);
    } catch (thrown) {
      toast.error("The project could not be duplicated", thrown);
    }
  };

  return (
    <ProjectProvider value={open}>
      <EditorProvider value={editor}>
        <ReactFlowProvider>
          <main className={styles.editor}>
            <div
              ref={surface}
              className={styles.surface}
              role="application"
              aria-label="Canvas. Press question mark for keyboard shortcuts."
              tabIndex={-1}
            >
              <CanvasMenu className={styles.surface ?? ""}>
                <Canvas />
                <EmptyCanvas />
              </CanvasMenu>
            </div>
            <TopBar onDuplicate={() => void duplicate()} />
            <Banner onMoved={(next) => navigate(`/p/${next}`)} />
            <ZoomControls />
            <Dock />
          </main>
          <AddMenu />
          <Palette />
          <Help />
        </ReactFlowProvider>
      </EditorProvider>
    </ProjectProvider>
  );
}
