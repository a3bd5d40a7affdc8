/** The open canvas: its document and its history. Knows nothing of the network or of React. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { Document, Project, Viewport } from "../api/types";
import {
  emptyHistory,
  type History,
  reachableSessions,
  record,
  redo,
  undo,
} from "../graph/history";
import type { Content } from "../graph/merge";
import { apply, type Op } from "../graph/ops";

export interface DocumentState extends Content {
  document: Document;
  history: History;
}

export interface DoOptions {
  /** Said in menus: "Undo move". */
  label: string;
  /** Changes with the same key in quick succession are undone together, such as typing. */
  key?: string;
  /** False for what a person did not do by hand, such as a session id that arrived. */
  undoable?: boolean;
}

export interface DocumentStore extends StoreApi<DocumentState> {
  readonly projectId: string;
  /** Applies operations. Says whether anything changed. */
  perform(ops: readonly Op[], options: DoOptions): boolean;
  /** The label of what was undone, or null. */
  undo(): string | null;
  redo(): string | null;
  rename(name: string): void;
  /** What was in view; kept with the document, never undone. */
  look(viewport: Viewport): void;
  /** Takes over what a merge or the server says; history stays, since it names nodes, not copies. */
  replace(content: Content): void;
}

export interface DocumentOptions {
  /** Told when no undo or redo can bring a session back. */
  onSessionDropped?: (sessionId: string) => void;
  now?: () => number;
}

export function createDocumentStore(
  project: Pick<Project, "id" | "name" | "document">,
  options: DocumentOptions = {},
): DocumentStore {
  const now = options.now ?? Date.now;
  const store = createStore<DocumentState>(() => ({
    name: project.name,
    document: project.document,
    history: emptyHistory(),
  }));
  let known = reachableSessions(project.document, emptyHistory());

  /** `mayDrop` is false where somebody else removed the node: then it is theirs to drop. */
  function set(next: Partial<DocumentState>, mayDrop: boolean): void {
    store.setState(next);
    const { document, history } = store.getState();
    const reachable = reachableSessions(document, history);
    const dropped = [...known].filter((id) => !reachable.has(id));
    known = reachable;
    if (mayDrop) for (const id of dropped) options.onSessionDropped?.(id);
  }

  function travel(step: typeof undo): string | null {
    const { document, history } = store.getState();
    const result = step(document, history);
    if (!result) return null;
    set({ document: result.document, history: result.history }, true);
    return result.label;
  }

  return {
    ...store,
    projectId: project.id,
    perform(ops, { label, key, undoable = true }) {
      const { document, history } = store.getState();
      const applied = apply(document, ops);
      if (applied.document === document) return false;
      set(
        {
          document: applied.document,
          history: undoable
            ? record(history, { label, inverse: applied.inverse, key: key ?? null, at: now() })
            : history,
        },
        true,
      );
      return true;
    },
    undo: () => travel(undo),
    redo: () => travel(redo),
    rename(name) {
      store.setState({ name });
    },
    look(viewport) {
      const { document } = store.getState();
      store.setState({ document: { ...document, viewport } });
    },
    replace({ name, document }) {
      set({ name, document }, false);
    },
  };
}
