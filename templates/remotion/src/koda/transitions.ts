/** What compositions import as `@remotion/transitions`: what html-in-canvas draws is a fade where it cannot be drawn. */
import * as transitions from "@remotion/transitions";
import { fadeInstead } from "./html-in-canvas";

export * from "@remotion/transitions";

export const blurSlide = fadeInstead(transitions.blurSlide);
export const crossZoom = fadeInstead(transitions.crossZoom);
export const dreamyZoom = fadeInstead(transitions.dreamyZoom);
export const filmBurn = fadeInstead(transitions.filmBurn);
export const linearBlur = fadeInstead(transitions.linearBlur);
export const makeHtmlInCanvasPresentation: typeof transitions.makeHtmlInCanvasPresentation = (shader) => fadeInstead(transitions.makeHtmlInCanvasPresentation(shader));
