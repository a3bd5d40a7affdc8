import { defineAnimation, key, type Animation } from "./koda/keyframes";

/**
 * Keyframes of the title: the camera flies in from below and swings to the front, the letters arrive one after the other, and at
 * the end everything is drawn past the camera. `distance` is how far the camera must be to see the whole title, and `entrance` and
 * `exit` are shares of the length.
 */
export function animate(distance: number, entrance: number, exit: number): Animation {
  const hold = 1 - exit;
  return defineAnimation({
    Camera: {
      position: {
        x: [key(0, -distance * 0.62), key(entrance, -distance * 0.14, "outExpo"), key(hold, distance * 0.16, "linear"), key(1, distance * 0.3, "inExpo")],
        y: [key(0, -0.75), key(entrance, 0.45, "out"), key(hold, 0.75), key(1, 2.2, "inExpo")],
        z: [key(0, distance * 0.55), key(entrance, distance, "outExpo"), key(hold, distance * 0.94, "linear"), key(1, distance * 0.5, "inExpo")],
      },
      target: { y: [key(0, 0.4), key(entrance, -0.05, "out"), key(1, -0.05)] },
      roll: [key(0, -0.14), key(entrance, 0, "outExpo")],
    },
    Letters: {
      arrive: [key(0, 0), key(entrance * 1.1, 1, "linear")],
      leave: [key(hold, 0), key(1, 1, "inExpo")],
    },
    Words: { arrive: [key(entrance * 0.75, 0), key(Math.min(0.95, entrance * 1.6), 1, "outExpo")] },
    Light: {
      glow: [key(0, 0), key(entrance * 0.7, 1, "out"), key(hold, 1), key(1, 0.1, "in")],
      turn: [key(0, -0.5), key(1, 0.7, "linear")],
    },
    Shapes: { spread: [key(0, 0.15), key(entrance * 1.2, 1, "outExpo"), key(hold, 1.06, "linear"), key(1, 2.2, "inExpo")], turn: [key(0, 0), key(1, 1, "linear")] },
  });
}
