import { defineAnimation, key, type Animation } from "./koda/keyframes";

export interface Places {
  /** Where the product stands, and where the words are. */
  product: readonly [x: number, y: number];
  /** How far away the camera ends. */
  distance: number;
  /** Shares of the length: when the camera has arrived, and when everything leaves. */
  arrived: number;
  leaves: number;
}

/** Keyframes of the film: a close look along the product, a wide sweep out to the whole stage, and a slow turn in full light. */
export function animate({ product: [x, y], distance, arrived, leaves }: Places): Animation {
  const close = arrived * 0.45;
  return defineAnimation({
    Camera: {
      position: {
        x: [key(0, x - 1.5), key(close, x - 0.9, "linear"), key(arrived, 0, "inOutExpo"), key(1, 0.35, "linear")],
        y: [key(0, y + 0.35), key(close, y + 0.95, "linear"), key(arrived, 1.15, "inOutExpo"), key(leaves, 0.95, "linear"), key(1, 0.8, "in")],
        z: [key(0, 2.6), key(close, 3.1, "linear"), key(arrived, distance, "inOutExpo"), key(leaves, distance * 0.96, "linear"), key(1, distance * 1.12, "in")],
      },
      target: {
        x: [key(0, x), key(close, x, "linear"), key(arrived, 0, "inOutExpo")],
        y: [key(0, y + 0.1), key(close, y + 0.75, "linear"), key(arrived, 0.12, "inOutExpo")],
      },
      roll: [key(0, -0.06), key(arrived, 0, "inOutExpo")],
    },
    Turntable: {
      rotation: { y: [key(0, -4.6), key(arrived, -0.95, "inOut"), key(1, 1.15, "linear")] },
      position: { y: [key(0, -0.25), key(arrived, 0, "outBack"), key(leaves, 0), key(1, -0.5, "in")] },
    },
    Light: {
      key: [key(0, 0.12), key(close, 0.45, "out"), key(arrived, 1, "inOut"), key(leaves, 1), key(1, 0, "in")],
      ring: [key(close * 0.8, 0), key(Math.min(0.9, arrived * 1.1), 1, "outExpo"), key(leaves, 1), key(1, 0, "in")],
    },
    Words: { arrive: [key(arrived * 0.72, 0), key(Math.min(0.94, arrived * 1.45), 1, "linear")], leave: [key(leaves, 0), key(1, 1, "in")] },
  });
}
