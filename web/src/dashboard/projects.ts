/** The list of projects: pages, renaming, copying, and deletion that can be taken back. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { api as realApi } from "../api/client";
import { type ApiError, asApiError } from "../api/errors";
import type { ProjectSummary } from "../api/types";

export interface ProjectsState {
  items: ProjectSummary[];
  status: "loading" | "ready" | "failed";
  error: ApiError | null;
  /** Where the next page begins; null if there is none. */
  cursor: string | null;
  loadingMore: boolean;
}

type ListApi = Pick<typeof realApi.projects, "list" | "get" | "put" | "remove" | "duplicate">;

export interface ProjectList extends StoreApi<ProjectsState> {
  load(): Promise<void>;
  more(): Promise<void>;
  /** All pages, for searching. */
  all(): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  duplicate(id: string): Promise<ProjectSummary>;
  /** Hides it now; the server hears of it by `commitRemove`. */
  remove(id: string): void;
  /** Brings back what was hidden. */
  restore(id: string): void;
  commitRemove(id: string): Promise<void>;
  /** Commits every hidden one, such as when the page closes. */
  flush(): void;
}

const PAGE = 48;

export function createProjectList(api: ListApi = realApi.projects): ProjectList {
  const store = createStore<ProjectsState>(() => ({
    items: [],
    status: "loading",
    error: null,
    cursor: null,
    loadingMore: false,
  }));
  const hidden = new Map<string, { project: ProjectSummary; index: number }>();

  const set = (items: ProjectSummary[]) => store.setState({ items });
  const update = (id: string, change: Partial<ProjectSummary>) =>
    set(store.getState().items.map((it) => (it.id === id ? { ...it, ...change } : it)));

  async function more(): Promise<void> {
    const { cursor, loadingMore, items } = store.getState();
    if (!cursor || loadingMore) return;
    store.setState({ loadingMore: true });
    try {
      const page = await api.list(cursor, PAGE);
      const known = new Set([...items.map((it) => it.id), ...hidden.keys()]);
      store.setState({
        items: [...items, ...page.items.filter((it) => !known.has(it.id))],
        cursor: page.next_cursor,
      });
    } catch (thrown) {
      store.setState({ error: asApiError(thrown) });
    } finally {
      store.setState({ loadingMore: false });
    }
  }

  return {
    ...store,
    async load() {
      // What is known stays on screen while it is looked up again.
      if (store.getState().items.length === 0) store.setState({ status: "loading", error: null });
      try {
        const page = await api.list(null, PAGE);
        store.setState({
          items: page.items.filter((it) => !hidden.has(it.id)),
          cursor: page.next_cursor,
          status: "ready",
          error: null,
        });
      } catch (thrown) {
        store.setState({ status: "failed", error: asApiError(thrown) });
      }
    },
    more,
    async all() {
      for (let pages = 0; pages < 40 && store.getState().cursor; pages += 1) {
        const before = store.getState().cursor;
        await more();
        if (store.getState().cursor === before) return;
      }
    },
    async rename(id, name) {
      const before = store.getState().items.find((it) => it.id === id)?.name;
      update(id, { name });
      try {
        // The document is written whole, so the newest one goes along.
        const project = await api.get(id);
        const answer = await api.put(id, project.revision, { name, document: project.document });
        update(id, answer);
      } catch (thrown) {
        if (before !== undefined) update(id, { name: before });
        throw thrown;
      }
    },
    async duplicate(id) {
      const { document: _document, ...summary } = await api.duplicate(id);
      set([summary, ...store.getState().items]);
      return summary;
    },
    remove(id) {
      const { items } = store.getState();
      const index = items.findIndex((it) => it.id === id);
      const project = items[index];
      if (!project) return;
      hidden.set(id, { project, index });
      set(items.filter((it) => it.id !== id));
    },
    restore(id) {
      const found = hidden.get(id);
      if (!found) return;
      hidden.delete(id);
      const items = store.getState().items.slice();
      items.splice(Math.min(found.index, items.length), 0, found.project);
      set(items);
    },
    async commitRemove(id) {
      const found = hidden.get(id);
      if (!found) return;
      hidden.delete(id);
      try {
        await api.remove(id);
      } catch (thrown) {
        if (asApiError(thrown).code === "not_found") return;
        const items = store.getState().items.slice();
        items.splice(Math.min(found.index, items.length), 0, found.project);
        set(items);
        throw thrown;
      }
    },
    flush() {
      for (const id of [...hidden.keys()]) {
        hidden.delete(id);
        void api.remove(id, true).catch(() => undefined);
      }
    },
  };
}

/** Lives as long as the page, so that coming back from the editor shows the list at once. */
export const projectList = createProjectList();
