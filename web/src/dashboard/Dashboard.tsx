import { Plus, Search } from "lucide-react";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useStore } from "zustand";
import { projectPath } from "../app/router";
import { ThemeMenu } from "../app/ThemeMenu";
import { Wordmark } from "../app/Wordmark";
import { useConfigState } from "../store/config";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { ErrorNotice } from "../ui/ErrorNotice";
import { Input } from "../ui/Input";
import { toast } from "../ui/Toast";
import { createEmpty, createFromPrompt } from "./create";
import styles from "./Dashboard.module.css";
import { ProjectCard, ProjectSkeleton } from "./ProjectCard";
import { PromptBox } from "./PromptBox";
import { projectList } from "./projects";

export function Dashboard() {
  const { items, status, error, cursor, loadingMore } = useStore(projectList);
  const { config } = useConfigState();
  const [, navigate] = useLocation();
  const [query, setQuery] = useState("");
  const [creating, setCreating] = useState(false);
  const search = useDeferredValue(query.trim().toLowerCase());
  const found = search ? items.filter((it) => it.name.toLowerCase().includes(search)) : items;
  const isEmpty = status === "ready" && items.length === 0;

  useEffect(() => {
    document.title = "Koda";
    void projectList.load();
    const again = () => document.visibilityState === "visible" && void projectList.load();
    const flush = () => projectList.flush();
    document.addEventListener("visibilitychange", again);
    addEventListener("pagehide", flush);
    return () => {
      document.removeEventListener("visibilitychange", again);
      removeEventListener("pagehide", flush);
    };
  }, []);

  useEffect(() => {
    if (search) void projectList.all();
  }, [search]);

  const create = async (make: () => Promise<string>) => {
    setCreating(true);
    try {
      navigate(projectPath(await make()));
    } catch (thrown) {
      toast.error("The project could not be created", thrown);
      setCreating(false);
    }
  };
  const createBlank = () => create(async () => (await createEmpty()).id);

  return (
    <div className={styles.page}>
      <header className={styles.top}>
        <Wordmark />
        <div className={styles.tools}>
          <ThemeMenu />
          <Button
            variant="secondary"
            icon={<Plus />}
            onClick={() => void createBlank()}
            disabled={creating}
          >
            Empty canvas
          </Button>
        </div>
      </header>

      <main className={styles.main}>
        <PromptBox
          busy={creating}
          examples={config?.examples ?? []}
          demo={config ? !config.models.orchestrator.is_ai : false}
          onSubmit={(prompt) => void create(() => createFromPrompt(prompt))}
        />

        <section aria-label="Projects" className={styles.projects}>
          {!isEmpty && (
            <div className={styles.heading}>
              <h2>Projects</h2>
              <SearchField value={query} onChange={setQuery} />
            </div>
          )}
          {status === "failed" && error && (
            <ErrorNotice
              title="Your projects could not be loaded"
              error={error}
              onRetry={() => void projectList.load()}
            />
          )}
          {status === "loading" && (
            <div className={styles.grid} role="status" aria-label="Loading projects">
              {[0, 1, 2, 3].map((it) => (
                <ProjectSkeleton key={it} />
              ))}
            </div>
          )}
          {found.length > 0 && (
            <ul className={styles.grid}>
              {found.map((project) => (
                <li key={project.id}>
                  <ProjectCard project={project} />
                </li>
              ))}
            </ul>
          )}
          {search && status === "ready" && found.length === 0 && (
            <EmptyState
              title={`No project is called “${query.trim()}”`}
              action={<Button onClick={() => setQuery("")}>Show all projects</Button>}
            />
          )}
          {isEmpty && (
            <p className={styles.none}>
              Your projects will be here. Say above what should move, or begin with an{" "}
              <button type="button" onClick={() => void createBlank()}>
                empty canvas
              </button>
              .
            </p>
          )}
          {cursor && !search && (
            <div className={styles.more}>
              <Button onClick={() => void projectList.more()} loading={loadingMore}>
                Show more
              </Button>
            </div>
          )}
        </section>
      </main>
    </div>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (next: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const free = !(event.target as Element).closest("input, textarea, [role=dialog]");
      if (event.key !== "/" || !free) return;
      event.preventDefault();
      box.current?.querySelector("input")?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  return (
    <div ref={box} className={styles.search}>
      <Input
        type="search"
        icon={<Search />}
        placeholder="Search projects"
        aria-label="Search projects"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onChange("");
        }}
      />
    </div>
  );
}
