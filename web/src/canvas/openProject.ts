/** Puts the stores of a project together, and takes them apart again. */

import { api } from "../api/client";
import type { Project } from "../api/types";
import { reachableSessions } from "../graph/history";
import { createAssetStore } from "../store/assets";
import { createAutosave, localDrafts, type SaveApi } from "../store/autosave";
import { createDocumentStore } from "../store/document";
import { createSessionHub } from "../store/hub";
import type { OpenProject } from "../store/project";

const saveApi: SaveApi = {
  get: (id) => api.projects.get(id),
  put: (id, revision, content, keepalive) => api.projects.put(id, revision, content, { keepalive }),
};

export function openProject(project: Project): { open: OpenProject; close: () => void } {
  /** Deleted with their nodes; removed once the server's document does not name them any more. */
  const dropped = new Set<string>();
  const store = createDocumentStore(project, { onSessionDropped: (id) => dropped.add(id) });
  const autosave = createAutosave({
    store,
    project,
    api: saveApi,
    drafts: localDrafts(project.id),
  });
  const hub = createSessionHub(project.id);
  const assets = createAssetStore(project.id);
  // Nodes fetch what they miss one by one and say so where that fails.
  void assets.load().catch(() => undefined);

  const removeDropped = () => {
    for (const id of dropped) {
      dropped.delete(id);
      void api.sessions.remove(id).catch(() => undefined);
    }
  };
  const stopCleaning = autosave.state.subscribe(({ status }) => {
    if (status === "saved") removeDropped();
  });

  const controller = new AbortController();
  const { signal } = controller;
  const back = () => {
    hub.wake();
    if (autosave.isDirty()) void autosave.flush();
    else void autosave.refresh();
  };
  addEventListener("online", back, { signal });
  addEventListener("pagehide", () => void autosave.flush(true), { signal });
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.visibilityState === "visible") back();
      else void autosave.flush(true);
    },
    { signal },
  );

  const close = () => {
    controller.abort();
    hub.close();
    stopCleaning();
    void autosave.flush(true).then(() => {
      autosave.stop();
      if (autosave.state.getState().status !== "saved") return;
      // With the history goes the last way back to conversations of deleted nodes.
      const { document: last, history } = store.getState();
      const kept = reachableSessions(last, { past: [], future: [] });
      for (const id of reachableSessions(last, history)) if (!kept.has(id)) dropped.add(id);
      removeDropped();
    });
  };

  return { open: { id: project.id, store, autosave, hub, assets }, close };
}
