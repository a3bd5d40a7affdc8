/**
 * The page that Remotion's own renderer films (server/film.mjs starts it): what it asks of a page, for the one composition that there
 * is. What a bundle of Remotion's answers was read in `@remotion/studio/renderEntry` and `@remotion/renderer` 4.0.527.
 */
import { useContext, useEffect, useRef, useState, type ComponentType } from "react";
import { createRoot } from "react-dom/client";
import { cancelRender, Composition, continueRender, delayRender, Internals, VERSION } from "remotion";
import type { Manifest } from "../contract";
import type { Design } from "../design";
import { transparent } from "../environment";
import { loadFonts, registerFonts } from "../fonts";
import { asWritten, writtenFrame } from "../playback";
import { drawWholeFrames, shownFrame } from "./frames";

/** What bundles say that this renderer understands. */
const SITE = "11";
/** How what is heard is told, and that there is no composition: in the console, where server/film.mjs reads along. */
const HEARD = "koda:heard ";
const NOT_LOADED = "koda:not-loaded";
const ID = "film";

let manifest: Manifest = { contract: 1, engine: "", title: "", width: 1, height: 1, fps: 30, durationInFrames: 1 };

interface Loaded {
  Film: ComponentType;
  manifest: Manifest;
}

function Stage() {
  const { canvasContent } = useContext(Internals.CompositionManager);
  const { setCanvasContent } = useContext(Internals.CompositionSetters);
  const place = useRef<HTMLDivElement>(null);
  const [handle] = useState(() => delayRender("the composition"));
  useEffect(() => setCanvasContent({ type: "composition", compositionId: ID }), [setCanvasContent]);
  useEffect(() => {
    if (!canvasContent) return;
    place.current?.append(Internals.portalNode());
    continueRender(handle);
  }, [canvasContent, handle]);
  return <div ref={place} id="remotion-canvas" style={{ display: "flex" }} />;
}

function Root({ Film, manifest }: Loaded) {
  const { width, height, fps, durationInFrames } = asWritten(manifest);
  const metadata = { width, height, fps, durationInFrames, props: {} };
  const defaults = { defaultCodec: null, defaultOutName: null, defaultVideoImageFormat: null, defaultPixelFormat: null, defaultProResProfile: null, defaultSampleRate: null };
  return (
    <Internals.CompositionManagerProvider initialCanvasContent={null} onlyRenderComposition={ID} currentCompositionMetadata={{ ...metadata, ...defaults }} initialCompositions={[]}>
      <Internals.RemotionRootContexts
        frameState={null}
        audioEnabled={window.remotion_audioEnabled}
        videoEnabled={window.remotion_videoEnabled}
        logLevel={window.remotion_logLevel ?? "info"}
        numberOfAudioTags={0}
        audioLatencyHint="playback"
        previewSampleRate={window.remotion_sampleRate}
        _experimentalKeepAudioContextAlive={false}
      >
        <Internals.RenderAssetManagerProvider collectAssets={null}>
          <Composition id={ID} component={Film} width={width} height={height} fps={fps} durationInFrames={durationInFrames} />
          <Stage />
        </Internals.RenderAssetManagerProvider>
      </Internals.RemotionRootContexts>
    </Internals.CompositionManagerProvider>
  );
}

async function load(): Promise<Loaded> {
  registerFonts();
  const [{ default: Film }, { design }, { default: told }] = await Promise.all([
    import("../../Composition") as Promise<{ default: ComponentType }>,
    import("../../design") as Promise<{ design: Design }>,
    import("../../../koda.json") as unknown as Promise<{ default: Manifest }>,
  ]);
  await loadFonts([design.fonts.title, design.fonts.body], JSON.stringify(design));
  return { Film, manifest: told };
}

/** Passes on what Remotion collects at each frame. Its renderer, which would fetch whole files to mix them, is told of none. */
function tellWhatIsHeard() {
  let collect = window.remotion_collectAssets;
  // A scene that is played slower shows a frame more than once, and Remotion collects once what is heard at it.
  let last = { frame: -1, heard: [] as ReturnType<typeof collect> };
  Object.defineProperty(window, "remotion_collectAssets", {
    configurable: true,
    set: (collects: typeof collect) => (collect = collects),
    get: () => () => {
      const assets = collect();
      const isHeard = ({ type }: (typeof assets)[number]) => type === "audio" || type === "video";
      const frame = writtenFrame(manifest, shownFrame);
      const heard = frame === last.frame ? last.heard : assets.filter(isHeard);
      last = { frame, heard };
      const { fps } = asWritten(manifest);
      if (heard.length > 0) console.log(HEARD + JSON.stringify({ frame: shownFrame, fps, heard }));
      return assets.filter((asset) => !isHeard(asset));
    },
  });
}

// It films one version of the composition from its first frame to its last.
import.meta.hot?.on("vite:beforeFullReload", () => new Promise<void>(() => undefined));
Internals.CSSUtils.injectCSS(Internals.CSSUtils.makeDefaultPreviewCSS(null, "transparent"));
if (!transparent) document.documentElement.style.background = "#000";
tellWhatIsHeard();
drawWholeFrames((frame) => writtenFrame(manifest, frame));
const loaded = load();
const root = createRoot(document.getElementById("stage") as HTMLElement);
window.siteVersion = SITE;
window.remotion_version = VERSION;
// Whatever is to be drawn is said with the frame; there is nothing to choose from.
window.getStaticCompositions = () => Promise.resolve([]);
window.remotion_setBundleMode = () => {
  const handle = delayRender("the composition's modules");
  loaded.then(
    (film) => {
      manifest = film.manifest;
      window.remotion_initialFrame = writtenFrame(manifest, window.remotion_initialFrame);
      root.render(<Root {...film} />);
      requestAnimationFrame(() => continueRender(handle));
    },
    (error: unknown) => {
      console.log(NOT_LOADED);
      cancelRender(error);
    },
  );
};
