import { Thumbnail } from "@remotion/player";
import { useState, type ComponentType } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Internals } from "remotion";
import type { Manifest } from "./contract";
import { forgetHandles, handlesContinued, pendingHandles } from "./delay-render";
import type { Engine, Failed, Loaded } from "./engine";
import { capturing } from "./environment";
import { measureTexts } from "./measure";
import { Boundary, Settling, suspended } from "./pending";
import { arrived, verifyImages } from "./resources";
import { PATIENCE, realNow, sleep, task } from "./wait";

interface View {
  Composition: ComponentType | null;
  manifest: Manifest | null;
  /** Changes with every mount, so that what failed is tried anew and nothing of the old composition stays. */
  version: number;
  frame: number;
  width: number;
  height: number;
}

/** A thumbnail plays nothing and would have all of it muted; what a capture and the preview's soundtrack hear is what the composition says. */
const AUDIBLE = { playerMuted: false, mediaVolume: 1 };

/** Draws the composition with Remotion: any frame, in React's own synchronous commit. */
export function createEngine(stage: HTMLElement, failed: Failed): Engine {
  const initial: View = { Composition: null, manifest: null, version: 0, frame: 0, width: 1, height: 1 };
  let view = initial;
  let set: (view: View) => void = () => undefined;
  let Framed: ComponentType = () => null;

  function App() {
    const [shown, update] = useState(initial);
    set = update;
    if (!shown.manifest) return null;
    const { manifest, frame, version, width, height } = shown;
    return (
      <Thumbnail
        key={version}
        component={Framed}
        compositionWidth={manifest.width}
        compositionHeight={manifest.height}
        durationInFrames={manifest.durationInFrames}
        fps={manifest.fps}
        frameToDisplay={frame}
        style={{ width, height }}
        noSuspense
      />
    );
  }

  const sheet = document.createElement("div");
  Object.assign(sheet.style, { position: "absolute", inset: "0" });
  stage.append(sheet);
  // What changed since a frame was last drawn, but for what startAfresh itself does.
  let changed = false;
  let moved = false;
  const note = (records: MutationRecord[]) => {
    changed ||= records.some(({ target, type }) => target !== sheet || type !== "attributes");
  };
  const watch = new MutationObserver(note);
  watch.observe(sheet, { subtree: true, childList: true, attributes: true, characterData: true });
  const root = createRoot(sheet, { onUncaughtError: failed, onCaughtError: () => undefined });
  flushSync(() => root.render(<App />));

  function apply(change: Partial<View>) {
    view = { ...view, ...change };
    flushSync(() => set(view));
  }

  /** Resolves when nothing is suspended any more. */
  async function shown() {
    const since = realNow();
    while (suspended()) {
      if (realNow() - since > PATIENCE) throw new Error(`Frame ${view.frame} is still suspended after ${PATIENCE / 1000} seconds.`);
      await sleep(4);
      // React may put off showing what has arrived by a timer, which a capture's clock holds still. Drawing again does not wait.
      apply({ frame: view.frame });
    }
  }

  return {
    canvas: null,

    mount({ Composition, manifest }: Loaded, frame) {
      Framed = () => (
        <Boundary onError={failed}>
          <Settling>
            <Internals.MediaVolumeContext.Provider value={AUDIBLE}>
              <Composition />
            </Internals.MediaVolumeContext.Provider>
          </Settling>
        </Boundary>
      );
      apply({ Composition, manifest, frame, version: view.version + 1 });
    },

    draw(frame) {
      if (frame !== view.frame) apply({ frame });
      if (!capturing) return;
      note(watch.takeRecords());
      const moves = document.getAnimations().some(({ playState }) => playState !== "finished");
      // A frame like the one before is left as it is, so that it can be seen to be.
      if (changed || moves || moved) startAfresh(sheet);
      changed = false;
      moved = moves;
    },

    async settle() {
      const since = realNow();
      try {
        for (;;) {
          if (pendingHandles() > 0) {
            await handlesContinued(since, () => verifyImages(stage));
            // What was set together with continuing is not drawn yet, and may wait for something itself.
            await task();
            if (pendingHandles() > 0) continue;
          }
          await shown();
          await arrived(stage);
          if (pendingHandles() === 0 && !suspended()) return;
        }
      } catch (error) {
        forgetHandles();
        throw error;
      }
    },

    resize(width, height) {
      if (width !== view.width || height !== view.height) apply({ width, height });
    },

    cost: () => null,

    measure() {
      return measureTexts(stage, view.manifest?.width ?? 1);
    },
  };
}

/**
 * Makes the browser work out anew where everything in here is painted. Where only a transform changes it keeps fractions of pixels
 * from the frame before, so that letters would lie a hair elsewhere depending on which frame was shown last.
 */
function startAfresh(sheet: HTMLElement) {
  sheet.style.transform = sheet.style.transform ? "" : "translate(0px)";
}
