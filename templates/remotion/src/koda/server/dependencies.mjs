/** Transitions that are drawn by html-in-canvas, each a module of its own. */
const drawnTransitions = ["blur-slide", "book-flip", "cross-zoom", "crosswarp", "dissolve", "dreamy-zoom", "film-burn", "linear-blur", "ripple", "swap", "zoom-blur", "zoom-in-out"].map(
  (name) => `@remotion/transitions/${name}`,
);

/** Every package entry that a composition may import, prepared ahead by Vite. */
export const dependencies = [
  "react",
  "react/jsx-runtime",
  "react/jsx-dev-runtime",
  "react-dom",
  "react-dom/client",
  "remotion",
  "remotion/no-react",
  "@remotion/player",
  "@remotion/animation-utils",
  "@remotion/layout-utils",
  "@remotion/noise",
  "@remotion/paths",
  "@remotion/shapes",
  "@remotion/transitions",
  "@remotion/transitions/clock-wipe",
  "@remotion/transitions/fade",
  "@remotion/transitions/flip",
  "@remotion/transitions/iris",
  "@remotion/transitions/none",
  "@remotion/transitions/slide",
  "@remotion/transitions/wipe",
  ...drawnTransitions,
  "lottie-web/build/player/lottie_svg",
];

/** What a composition gets for what it imports: files of `src/koda`. */
export const replaced = {
  remotion: "remotion.tsx",
  "@remotion/shapes": "shapes.ts",
  "@remotion/transitions": "transitions.ts",
  ...Object.fromEntries(drawnTransitions.map((name) => [name, "presentations.ts"])),
};
