/**
 * What a composition imports as "remotion" (server/imports.mjs sees to that): Remotion itself, but for what its player does otherwise
 * than its renderer. Films are made of the player's page, and sound as they would with the renderer; where that draws itself, all of it
 * is Remotion's own.
 */
import * as remotion from "remotion";
import { forwardRef, useId, useLayoutEffect, useRef, type ComponentType } from "react";
import files from "virtual:koda-files";
import { heededDelayRender, useHeededDelayRender } from "./delay-render";
import { capturing, rendererOfRemotion } from "./environment";
import { HtmlWithoutCanvas, htmlIsDrawn } from "./html-in-canvas";

export * from "remotion";

/** An element plays at most as loud as its file: this is said as 1, so that it can say what is louder too. */
const UNIT = 16;

type Volume = number | ((frame: number) => number);

interface Heard {
  volume?: Volume;
  toneFrequency?: number;
  audioStreamIndex?: number;
}

/** As an element is told: never quite its loudest, by which those are known that have not been told. */
const told = (loud: number) => Math.min(loud / UNIT, 0.999);

/** A component whose element says what is to be heard of it, for captures and for the preview's soundtrack: `data-koda-sound`. */
function heard<Props extends Heard>(Media: ComponentType<Props>): ComponentType<Props> {
  if (rendererOfRemotion) return Media;
  return function Heard(props: Props) {
    const id = useId();
    const { volume = 1, toneFrequency = 1, audioStreamIndex = 0 } = props;
    const last = useRef(1);
    // Remotion asks for the frame now shown first, and then for all others.
    let now: number | undefined = typeof volume === "number" ? volume : undefined;
    const scaled: Volume =
      typeof volume === "number"
        ? told(volume)
        : (frame) => {
            const loud = volume(frame);
            now ??= loud;
            return told(loud);
          };
    useLayoutEffect(() => {
      last.current = now ?? last.current;
      // Remotion says how loud an element is while it draws: of the frame that an element comes with, there is none yet.
      const element = document.querySelector<HTMLMediaElement>(`[data-koda-id="${id}"]`);
      if (element) element.volume = Math.max(0, told(last.current));
    });
    const sound = {
      unit: UNIT,
      loud: now ?? last.current,
      tone: toneFrequency > 0 ? toneFrequency : 1,
      stream: Number.isInteger(audioStreamIndex) && audioStreamIndex > 0 ? audioStreamIndex : 0,
    };
    return <Media {...props} volume={scaled} data-koda-id={id} data-koda-sound={JSON.stringify(sound)} />;
  };
}

export const Html5Audio = heard(remotion.Html5Audio);
export const Html5Video = heard(remotion.Html5Video);
export const OffthreadVideo = heard(remotion.OffthreadVideo);
export { Html5Audio as Audio, Html5Video as Video };

/** Of Remotion itself where its renderer draws, and of Koda's page otherwise. */
const choose = <T,>(ofRemotion: T, ofPage: T): T => (rendererOfRemotion ? ofRemotion : ofPage);

/** Files come from the workspace itself: what is not there now is not there a second later, and `onError` may have something better. */
export const Img = choose<typeof remotion.Img>(remotion.Img, forwardRef((props, ref) => <remotion.Img {...props} maxRetries={0} ref={ref} />));
export const CanvasImage = choose<typeof remotion.CanvasImage>(
  remotion.CanvasImage,
  forwardRef((props, ref) => <remotion.CanvasImage {...props} maxRetries={0} ref={ref} />),
);

export const delayRender = choose(remotion.delayRender, heededDelayRender);
export const useDelayRender = choose(remotion.useDelayRender, useHeededDelayRender);

/** Drawn by Remotion's own renderer, and by browsers that can. */
export const isHtmlInCanvasSupported = () => htmlIsDrawn;
export const HtmlInCanvas = (htmlIsDrawn ? remotion.HtmlInCanvas : Object.assign(HtmlWithoutCanvas, { isSupported: isHtmlInCanvasSupported })) as typeof remotion.HtmlInCanvas;

/** Files come from the workspace itself; a player that had them in memory would name them otherwise, and nothing could be read there. */
export const prefetch: typeof remotion.prefetch = (src, options) =>
  capturing ? { free: () => undefined, waitUntilDone: () => Promise.resolve(src) } : remotion.prefetch(src, options);

const rendering = { isRendering: true, isPlayer: false, isStudio: false };
export const getRemotionEnvironment: typeof remotion.getRemotionEnvironment = () => ({ ...remotion.getRemotionEnvironment(), ...(capturing ? rendering : {}) });
export const useRemotionEnvironment: typeof remotion.useRemotionEnvironment = () => ({ ...remotion.useRemotionEnvironment(), ...(capturing ? rendering : {}) });

/** A composition is given nothing from outside. */
export const getInputProps: typeof remotion.getInputProps = <T,>() => ({}) as T;

/** What lies below `public/`. */
export const getStaticFiles: typeof remotion.getStaticFiles = () => files.map((file) => ({ ...file, src: remotion.staticFile(file.name) }));
