/** What compositions import as `@remotion/shapes`: their effects are left out where html-in-canvas cannot draw them. */
import * as shapes from "@remotion/shapes";
import { withoutEffects } from "./html-in-canvas";

export * from "@remotion/shapes";

export const Arrow = withoutEffects(shapes.Arrow);
export const Callout = withoutEffects(shapes.Callout);
export const Circle = withoutEffects(shapes.Circle);
export const Ellipse = withoutEffects(shapes.Ellipse);
export const Heart = withoutEffects(shapes.Heart);
export const Pie = withoutEffects(shapes.Pie);
export const Polygon = withoutEffects(shapes.Polygon);
export const Rect = withoutEffects(shapes.Rect);
export const Spark = withoutEffects(shapes.Spark);
export const Star = withoutEffects(shapes.Star);
export const Triangle = withoutEffects(shapes.Triangle);
