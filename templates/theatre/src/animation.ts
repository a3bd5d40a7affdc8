import { defineAnimation, key } from "./koda/keyframes";

/** Keyframes by object and property; `key(share, value, easing)`, where share is 0 at the start and 1 at the end. */
export const animation = defineAnimation({
  Camera: {
    position: { x: [key(0, -0.8), key(0.5, 0.8), key(1, -0.8)] },
  },
  Knot: {
    rotation: { y: [key(0, 0), key(1, Math.PI * 2, "linear")], x: [key(0, 0.3), key(0.5, -0.2), key(1, 0.3)] },
    position: { y: [key(0, 0.25), key(0.5, 0.4), key(1, 0.25)] },
  },
});
