/** Uploaded files of a project, and uploads under way. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { api } from "../api/client";
import { type ApiError, asApiError, isAbort } from "../api/errors";
import type { Asset, AssetRole } from "../api/types";
import { type UploadOptions, uploadAsset } from "../api/uploads";

export interface UploadState {
  file: File;
  /** 0 to 1. */
  progress: number;
  error: ApiError | null;
}

export interface AssetsState {
  byId: Readonly<Record<string, Asset>>;
  /** By what waits for the asset, such as a node's id. */
  uploads: Readonly<Record<string, UploadState>>;
}

export interface AssetStore extends StoreApi<AssetsState> {
  /** Reads the project's list. */
  load(): Promise<void>;
  /** The asset, fetched if it is not known yet. */
  fetch(id: string): Promise<Asset>;
  /** Says what an asset is for; what it was for is back where that fails. */
  setRole(id: string, role: AssetRole | null): Promise<void>;
  /** Uploads for `owner`; null where it failed (the state says why) or was cancelled. */
  upload(owner: string, file: File): Promise<Asset | null>;
  /** Cancels an upload, or forgets one that failed. */
  dismiss(owner: string): void;
}

type Send = (projectId: string, file: File, options: UploadOptions) => Promise<Asset>;

export function createAssetStore(projectId: string, send: Send = uploadAsset): AssetStore {
  const store = createStore<AssetsState>(() => ({ byId: {}, uploads: {} }));
  const running = new Map<string, AbortController>();
  const fetching = new Map<string, Promise<Asset>>();

  const add = (...assets: Asset[]) =>
    store.setState(({ byId }) => ({
      byId: { ...byId, ...Object.fromEntries(assets.map((it) => [it.id, it])) },
    }));

  const setUpload = (owner: string, next: UploadState | null) =>
    store.setState(({ uploads }) => {
      const { [owner]: _old, ...rest } = uploads;
      return { uploads: next ? { ...rest, [owner]: next } : rest };
    });

  return {
    ...store,
    async load() {
      const { items } = await api.projects.assets(projectId);
      add(...items);
    },
    fetch(id) {
      const known = store.getState().byId[id];
      if (known) return Promise.resolve(known);
      const pending =
        fetching.get(id) ??
        api.assets
          .get(id)
          .then((asset) => {
            add(asset);
            return asset;
          })
          .finally(() => fetching.delete(id));
      fetching.set(id, pending);
      return pending;
    },
    async setRole(id, role) {
      const before = store.getState().byId[id];
      if (before) add({ ...before, role });
      try {
        add(await api.assets.setRole(id, role));
      } catch (thrown) {
        if (before) add(before);
        throw thrown;
      }
    },
    async upload(owner, file) {
      running.get(owner)?.abort();
      const controller = new AbortController();
      running.set(owner, controller);
      setUpload(owner, { file, progress: 0, error: null });
      try {
        const asset = await send(projectId, file, {
          signal: controller.signal,
          onProgress: (progress) => {
            if (running.get(owner) === controller)
              setUpload(owner, { file, progress, error: null });
          },
        });
        add(asset);
        if (running.get(owner) === controller) setUpload(owner, null);
        return asset;
      } catch (thrown) {
        if (running.get(owner) === controller)
          setUpload(
            owner,
            isAbort(thrown) ? null : { file, progress: 0, error: asApiError(thrown) },
          );
        return null;
      } finally {
        if (running.get(owner) === controller) running.delete(owner);
      }
    },
    dismiss(owner) {
      running.get(owner)?.abort();
      running.delete(owner);
      setUpload(owner, null);
    },
  };
}
