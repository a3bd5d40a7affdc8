/** The open project, for components. */

import { createContext, type ReactNode, useContext, useMemo } from "react";
import { useStore } from "zustand";
import { useStoreWithEqualityFn } from "zustand/traditional";
import type { Asset } from "../api/types";
import { duplicate, remove, setData } from "../graph/commands";
import { sameJson } from "../graph/document";
import { type Incoming, incoming } from "../graph/incoming";
import type { AssetStore, UploadState } from "./assets";
import type { Autosave } from "./autosave";
import type { DocumentState, DocumentStore } from "./document";
import type { SessionHub } from "./hub";

export interface OpenProject {
  id: string;
  store: DocumentStore;
  autosave: Autosave;
  hub: SessionHub;
  assets: AssetStore;
}

const Context = createContext<OpenProject | null>(null);

export function ProjectProvider({ value, children }: { value: OpenProject; children: ReactNode }) {
  return <Context value={value}>{children}</Context>;
}

/** Stores of the open project; they never change while it is open. */
export function useProject(): OpenProject {
  const project = useContext(Context);
  if (!project) throw new Error("useProject is for components of the editor.");
  return project;
}

export const useHub = (): SessionHub => useProject().hub;

/** A part of the document; compared by identity unless `same` is given. */
export function useDocument<T>(
  selector: (state: DocumentState) => T,
  same: (a: T, b: T) => boolean = Object.is,
): T {
  return useStoreWithEqualityFn(useProject().store, selector, same);
}

/** What flows into a node; the same object until it changes. */
export function useIncoming(nodeId: string): Incoming {
  return useDocument(({ document }) => incoming(document, nodeId), sameJson);
}

/** An asset of the project, or null while it is not known. */
export function useAsset(id: string | null): Asset | null {
  return useStore(useProject().assets, ({ byId }) => (id ? (byId[id] ?? null) : null));
}

export function useUpload(owner: string): UploadState | null {
  return useStore(useProject().assets, ({ uploads }) => uploads[owner] ?? null);
}

export interface NodeActions {
  /** Sets keys of the node's data; `undefined` removes one. */
  setData(
    data: Record<string, unknown>,
    options?: { label?: string; key?: string; undoable?: boolean },
  ): void;
  duplicate(): void;
  remove(): void;
}

export function useNodeActions(id: string): NodeActions {
  const { store } = useProject();
  return useMemo(
    () => ({
      setData(data, options = {}) {
        store.perform(setData(id, data), { label: "edit", ...options });
      },
      duplicate() {
        const { ops } = duplicate(store.getState().document, new Set([id]), { x: 32, y: 32 });
        store.perform(ops, { label: "duplicate" });
      },
      remove() {
        store.perform(remove([id]), { label: "delete" });
      },
    }),
    [store, id],
  );
}
