import { advance, createRoot, extend, flushSync, type ReconcilerRoot, type RootState } from "@react-three/fiber";
import type { ComponentType } from "react";
import * as THREE from "three";
import type { Manifest } from "./contract";
import type { Engine, Failed, Loaded } from "./engine";
import { capturing, smooth } from "./environment";
import { FrameStore, StageContext } from "./frame";
import { measureScene } from "./measure-scene";
import { sceneCost } from "./scene-cost";
import { Boundary, Settling, suspended } from "./pending";
import { seekTheatre } from "./theatre";
import { hasVideos, onVideoArrived, videosArrived } from "./video";
import { PATIENCE, realNow, sleep } from "./wait";

extend(THREE as unknown as Parameters<typeof extend>[0]);

/** Draws the composition with React Three Fiber, one frame when asked and never by itself. */
export function createEngine(stage: HTMLElement, failed: Failed): Engine {
  const canvas = document.createElement("canvas");
  Object.assign(canvas.style, { display: "block", width: "100%", height: "100%" });
  stage.append(canvas);

  const frames = new FrameStore();
  let root: ReconcilerRoot<HTMLCanvasElement> | null = null;
  let state: (() => RootState) | null = null;
  let manifest: Manifest | null = null;
  let size = { width: 1, height: 1, top: 0, left: 0 };
  let version = 0;
  let Composition: ComponentType | null = null;

  // More than two device pixels to a pixel cost much and show little.
  const pixelRatio = () => (capturing ? devicePixelRatio : Math.min(2, devicePixelRatio));

  let configuredFor: typeof size | null = null;

  function configured(): ReconcilerRoot<HTMLCanvasElement> {
    root ??= createRoot(canvas);
    if (configuredFor === size) return root;
    configuredFor = size;
    void root.configure({
      frameloop: "never",
      size,
      dpr: pixelRatio(),
      shadows: "percentage",
      gl: { antialias: smooth, alpha: true, preserveDrawingBuffer: true, powerPreference: "high-performance" },
      camera: { position: [0, 0, 8], fov: 35 },
    });
    return root;
  }

  /** Puts the composition into the scene; done again, it tries anew what was suspended. */
  function commit() {
    if (!manifest || !Composition) return;
    const scene = (
      <StageContext key={version} value={{ frames, manifest }}>
        <Boundary onError={failed}>
          <Settling>
            <Composition />
          </Settling>
        </Boundary>
      </StageContext>
    );
    flushSync(() => {
      state = configured().render(scene).getState;
    });
  }

  function render() {
    if (!manifest) return;
    const seconds = frames.get() / manifest.fps;
    seekTheatre(seconds);
    advance(seconds);
  }

  if (!capturing) onVideoArrived(() => state && render());

  return {
    canvas,

    mount(loaded: Loaded, frame) {
      manifest = loaded.manifest;
      Composition = loaded.Composition;
      version += 1;
      frames.set(frame);
      commit();
      render();
    },

    draw(frame) {
      if (!manifest) return;
      // Theatre first: what draws from the frame reads Theatre's values while it does.
      seekTheatre(frame / manifest.fps);
      flushSync(() => frames.set(frame));
      // A capture draws it with its videos, once they have come.
      if (!(capturing && hasVideos())) render();
    },

    async settle() {
      const deadline = realNow() + PATIENCE;
      let waited = false;
      while (suspended() || loading > 0) {
        if (realNow() > deadline) throw new Error(`Frame ${frames.get()} still waits for a file after ${PATIENCE / 1000} seconds.`);
        await sleep(4);
        waited = true;
        if (suspended()) commit();
      }
      if (document.fonts.status === "loading") {
        await Promise.allSettled([...document.fonts].filter((face) => face.status === "loading").map((face) => face.loaded));
        waited = true;
      }
      if (missing) {
        const url = missing;
        missing = null;
        throw new Error(`Cannot load ${url}: the file is missing or broken. Files in public/ are addressed from "/".`);
      }
      if (hasVideos()) {
        await videosArrived();
        waited = true;
      }
      if (waited) render();
    },

    resize(width, height) {
      if (size.width === width && size.height === height) return;
      size = { width, height, top: 0, left: 0 };
      if (!state) return;
      configured();
      render();
    },

    measure() {
      return state && manifest ? measureScene(state(), manifest) : { texts: [] };
    },

    cost: () => (state ? sceneCost(state()) : null),
  };
}

/** Files that three's loaders are waiting for. */
let loading = 0;
let missing: string | null = null;
THREE.DefaultLoadingManager.onStart = () => {
  loading = 1;
};
THREE.DefaultLoadingManager.onLoad = () => {
  loading = 0;
};
THREE.DefaultLoadingManager.onError = (url) => {
  missing = url;
};
