/** What was in view, per browser. It goes along with the next save, but is never a reason for one. */

import type { Viewport } from "../api/types";
import type { DocumentStore } from "../store/document";

const key = (projectId: string) => `koda.view.${projectId}`;

export function readViewport(projectId: string, store: DocumentStore): Viewport | null {
  try {
    const saved = JSON.parse(localStorage.getItem(key(projectId)) ?? "null") as Viewport | null;
    if (saved && [saved.x, saved.y, saved.zoom].every(Number.isFinite)) return saved;
  } catch {
    // Fall through to what the document says.
  }
  const { viewport } = store.getState().document;
  const untouched = viewport.x === 0 && viewport.y === 0 && viewport.zoom === 1;
  return untouched ? null : viewport;
}

export function writeViewport(projectId: string, store: DocumentStore, viewport: Viewport): void {
  store.look(viewport);
  try {
    localStorage.setItem(key(projectId), JSON.stringify(viewport));
  } catch {
    // It then lasts as long as the page.
  }
}
