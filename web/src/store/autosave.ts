/** Keeps the server's copy of a canvas up to date: debounced, revisioned, merged, and patient when offline. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { type ApiError, asApiError } from "../api/errors";
import type { Project } from "../api/types";
import { sameJson } from "../graph/document";
import { type Conflict, type Content, merge, type Side } from "../graph/merge";
import { problem } from "../graph/validate";
import type { DocumentStore } from "./document";

export type SaveState =
  | { status: "saved"; at: number | null }
  /** Changed, and about to be saved. */
  | { status: "dirty" }
  | { status: "saving" }
  /** Not reachable; tried again by itself. */
  | { status: "offline"; error: ApiError }
  /** Both sides changed the same thing: a person has to choose. */
  | { status: "conflict"; conflicts: Conflict[] }
  /** The project was deleted elsewhere. */
  | { status: "gone" }
  /** The server refuses what is on the canvas. */
  | { status: "failed"; error: ApiError };

export interface SaveApi {
  get(id: string): Promise<Project>;
  put(
    id: string,
    revision: number,
    content: Content,
    keepalive: boolean,
  ): Promise<{ revision: number; updated_at: string }>;
}

/** Where changes wait that the server has not seen, for a reload. */
export interface DraftStorage {
  read(): Draft | null;
  write(draft: Draft | null): void;
}

export interface Draft {
  revision: number;
  base: Content;
  mine: Content;
}

export interface Autosave {
  readonly state: StoreApi<SaveState>;
  /** Saves now instead of after the pause; `leaving` lets the request outlive the page. */
  flush(leaving?: boolean): Promise<void>;
  /** Looks whether another tab wrote, and takes it over. */
  refresh(): Promise<void>;
  /** Answers a conflict. */
  resolve(side: Side): Promise<void>;
  /** Whether there is something that the server does not have. */
  isDirty(): boolean;
  stop(): void;
}

export interface AutosaveOptions {
  store: DocumentStore;
  project: Pick<Project, "revision" | "name" | "document">;
  api: SaveApi;
  drafts?: DraftStorage;
  pauseMs?: number;
  retryMs?: number;
}

const PAUSE_MS = 600;
const RETRY_MS = 2_000;
const LAST_RETRY_MS = 30_000;

export function createAutosave(options: AutosaveOptions): Autosave {
  const { store, api, drafts, pauseMs = PAUSE_MS, retryMs = RETRY_MS } = options;
  const state = createStore<SaveState>(() => ({ status: "saved", at: null }));
  const id = store.projectId;
  let revision = options.project.revision;
  /** What the server has at `revision`. */
  let base: Content = { name: options.project.name, document: options.project.document };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | null = null;
  let theirs: { revision: number; content: Content } | null = null;
  let failures = 0;
  let stopped = false;

  const mine = (): Content => {
    const { name, document } = store.getState();
    return { name, document };
  };

  /** The view alone is not worth a write. */
  const isDirty = (): boolean => {
    const { name, document } = store.getState();
    return name !== base.name || !sameContent(document, base.document);
  };

  restore();

  const unsubscribe = store.subscribe((next, previous) => {
    if (next.document === previous.document && next.name === previous.name) return;
    if (isSettled(state.getState()) || !isDirty()) return;
    schedule(pauseMs);
  });
  if (isDirty()) schedule(0);

  function schedule(ms: number): void {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void save(false), ms);
    if (state.getState().status !== "offline") state.setState({ status: "dirty" }, true);
  }

  function save(leaving: boolean): Promise<void> {
    clearTimeout(timer);
    running ??= write(leaving).finally(() => {
      running = null;
      // What changed while the request was under way.
      if (state.getState().status === "saved" && isDirty()) schedule(pauseMs);
    });
    return running;
  }

  async function write(leaving: boolean): Promise<void> {
    for (let round = 0; round < 4; round += 1) {
      if (isSettled(state.getState())) return;
      if (!isDirty()) return saved();
      const content = mine();
      const wrong = problem(content.document);
      if (wrong) return fail(asApiError(new Error(wrong)));
      state.setState({ status: "saving" }, true);
      try {
        const answer = await api.put(id, revision, content, leaving);
        revision = answer.revision;
        base = content;
        return saved();
      } catch (thrown) {
        const error = asApiError(thrown);
        if (error.code !== "conflict") return failed(error);
      }
      if (!(await pull())) return;
    }
    // Somebody else writes without a pause; come back when it is calmer.
    schedule(retryMs);
  }

  /** Fetches the server's copy and merges it. False where a person or the network is needed. */
  async function pull(): Promise<boolean> {
    let project: Project;
    try {
      project = await api.get(id);
    } catch (thrown) {
      failed(asApiError(thrown));
      return false;
    }
    if (project.revision === revision) return true;
    const content = { name: project.name, document: project.document };
    const merged = merge(base, mine(), content);
    if (merged.conflicts.length > 0) {
      theirs = { revision: project.revision, content };
      state.setState({ status: "conflict", conflicts: merged.conflicts }, true);
      keepDraft();
      return false;
    }
    adopt(project.revision, content, merged);
    return true;
  }

  function adopt(next: number, server: Content, content: Content): void {
    revision = next;
    base = server;
    const { name, document } = content;
    store.replace({ name, document });
  }

  function saved(): void {
    failures = 0;
    drafts?.write(null);
    state.setState({ status: "saved", at: Date.now() }, true);
  }

  function failed(error: ApiError): void {
    keepDraft();
    if (error.code === "not_found" || error.code === "gone") {
      state.setState({ status: "gone" }, true);
    } else if (error.retryable) {
      failures += 1;
      state.setState({ status: "offline", error }, true);
      schedule(Math.min(retryMs * 2 ** (failures - 1), LAST_RETRY_MS));
    } else {
      fail(error);
    }
  }

  /** Waits for the next change; the same content would be refused again. */
  function fail(error: ApiError): void {
    state.setState({ status: "failed", error }, true);
  }

  function keepDraft(): void {
    drafts?.write(isDirty() ? { revision, base, mine: mine() } : null);
  }

  /** Changes that a closed tab could not send are put on top of what the server has now. */
  function restore(): void {
    const draft = drafts?.read();
    if (!draft) return;
    drafts?.write(null);
    const merged = merge(draft.base, draft.mine, base);
    store.replace({
      name: merged.name,
      document: { ...merged.document, viewport: store.getState().document.viewport },
    });
  }

  return {
    state,
    isDirty,
    async flush(leaving = false) {
      if (stopped) return;
      if (leaving) keepDraft();
      // A request that is under way may hold an older state.
      if (running) await running;
      if (isDirty() && !isSettled(state.getState())) await save(leaving);
    },
    async refresh() {
      if (stopped || running || isSettled(state.getState())) return;
      const before = revision;
      running = (async () => {
        await pull();
      })().finally(() => {
        running = null;
      });
      await running;
      if (revision !== before && isDirty()) schedule(pauseMs);
    },
    async resolve(side) {
      if (!theirs) return;
      const { revision: next, content } = theirs;
      const merged = merge(base, mine(), content, side);
      theirs = null;
      state.setState({ status: "dirty" }, true);
      adopt(next, content, merged);
      await save(false);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      unsubscribe();
    },
  };
}

/** States that only a person leaves. */
const isSettled = (state: SaveState): boolean =>
  state.status === "conflict" || state.status === "gone";

function sameContent(a: Content["document"], b: Content["document"]): boolean {
  return a.nodes === b.nodes && a.edges === b.edges
    ? true
    : sameJson(a.nodes, b.nodes) && sameJson(a.edges, b.edges);
}

/** Drafts in the browser's storage. Full or forbidden storage only loses the safety net. */
export function localDrafts(projectId: string): DraftStorage {
  const key = `koda.draft.${projectId}`;
  return {
    read() {
      try {
        const text = localStorage.getItem(key);
        return text ? (JSON.parse(text) as Draft) : null;
      } catch {
        return null;
      }
    },
    write(draft) {
      try {
        if (draft) localStorage.setItem(key, JSON.stringify(draft));
        else localStorage.removeItem(key);
      } catch {
        // Nothing to do about it.
      }
    },
  };
}
