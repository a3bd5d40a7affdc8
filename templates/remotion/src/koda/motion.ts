/** Timing, easing, stagger, seeded chance, colour and fitting: pure functions of their arguments, so that a frame is one too. */

export type Easing = (t: number) => number;

export const clamp = (value: number, low = 0, high = 1): number => Math.min(high, Math.max(low, value));
export const mix = (from: number, to: number, share: number): number => from + (to - from) * share;

function power(exponent: number) {
  return {
    in: (t: number) => t ** exponent,
    out: (t: number) => 1 - (1 - t) ** exponent,
    inOut: (t: number) => (t < 0.5 ? (2 * t) ** exponent / 2 : 1 - (2 - 2 * t) ** exponent / 2),
  };
}

const cubic = power(3);
const quint = power(5);

/** Easing curves from 0 to 1. The "back" and "spring" ones go past 1 and come back. */
export const ease = {
  linear: (t: number) => t,
  in: cubic.in,
  out: cubic.out,
  inOut: cubic.inOut,
  inStrong: quint.in,
  outStrong: quint.out,
  inOutStrong: quint.inOut,
  outExpo: (t: number) => (t >= 1 ? 1 : 1 - 2 ** (-10 * t)),
  inExpo: (t: number) => (t <= 0 ? 0 : 2 ** (10 * t - 10)),
  inOutExpo: (t: number) => (t <= 0 ? 0 : t >= 1 ? 1 : t < 0.5 ? 2 ** (20 * t - 10) / 2 : 1 - 2 ** (10 - 20 * t) / 2),
  outBack: (t: number) => (t <= 0 ? 0 : 1 + 2.2 * (t - 1) ** 3 + 1.2 * (t - 1) ** 2),
  inBack: (t: number) => 2.2 * t ** 3 - 1.2 * t ** 2,
  /** Settles after one soft swing. */
  outSpring: (t: number) => (t <= 0 ? 0 : t >= 1 ? 1 : 1 - Math.exp(-6.5 * t) * Math.cos(9.5 * t) * (1 - t)),
} satisfies Record<string, Easing>;

/** How far `at` is from `from` to `to`, 0 before and 1 after, eased. */
export function during(at: number, from: number, to: number, easing: Easing = ease.linear): number {
  if (to <= from) return at >= to ? 1 : 0;
  return easing(clamp((at - from) / (to - from)));
}

/**
 * The same for one of several things that follow each other: each takes `share` of the time from `from` to `to`, and they start
 * evenly spaced so that the last ends at `to`.
 */
export function stagger(at: number, index: number, count: number, from: number, to: number, easing: Easing = ease.out, share = 0.5): number {
  const length = (to - from) * clamp(share, 0.01, 1);
  const start = count > 1 ? from + ((to - from - length) * index) / (count - 1) : from;
  return during(at, start, start + length, easing);
}

/**
 * Where an animation is, in shares of its length and in seconds, with an entrance and an exit of sensible length: about
 * `enter` and `exit` seconds, but never more than a share of a short composition.
 */
export function timeline(frame: number, fps: number, durationInFrames: number, enter = 1.4, exit = 0.7) {
  const seconds = frame / fps;
  const duration = durationInFrames / fps;
  const entered = Math.min(enter, duration * 0.4);
  const leaves = duration - Math.min(exit, duration * 0.18);
  return {
    /** 0 at the first frame, 1 at the last. */
    share: durationInFrames > 1 ? frame / (durationInFrames - 1) : 0,
    seconds,
    duration,
    /** Second at which the entrance is over. */
    entered,
    /** Second at which the exit starts. */
    leaves,
    /** 0 to 1 while it enters. */
    in: (easing: Easing = ease.out) => during(seconds, 0, entered, easing),
    /** 0 to 1 while it leaves; 1 at the last frame. */
    out: (easing: Easing = ease.in) => during(seconds, leaves, duration - 1 / fps, easing),
  };
}

/** A number from 0 to below 1 that is always the same for this seed. */
export function chance(...seed: (number | string)[]): number {
  let hash = 2166136261;
  for (const part of seed) {
    for (const character of `${part};`) {
      hash ^= character.charCodeAt(0);
      hash = Math.imul(hash, 16777619);
    }
  }
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2246822519);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 3266489917);
  hash ^= hash >>> 16;
  return (hash >>> 0) / 4294967296;
}

type Rgb = [red: number, green: number, blue: number];

function rgb(hex: string): Rgb {
  const digits = hex.replace("#", "");
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  const value = Number.parseInt(full.slice(0, 6), 16);
  return Number.isNaN(value) ? [0, 0, 0] : [value >> 16, (value >> 8) & 255, value & 255];
}

/** A `#rrggbb` colour with this opacity. */
export function alpha(hex: string, opacity: number): string {
  const [red, green, blue] = rgb(hex);
  return `rgba(${red}, ${green}, ${blue}, ${clamp(opacity)})`;
}

/** A colour between two `#rrggbb` colours. */
export function blend(from: string, to: string, share: number): string {
  const a = rgb(from);
  const b = rgb(to);
  const channel = (index: 0 | 1 | 2) => Math.round(mix(a[index], b[index], clamp(share))).toString(16).padStart(2, "0");
  return `#${channel(0)}${channel(1)}${channel(2)}`;
}

/** Perceived brightness of a `#rrggbb` colour, 0 to 1. */
export function luminance(hex: string): number {
  const [red, green, blue] = rgb(hex);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** The one of two colours that is easier to read on a background. */
export function readable(background: string, light = "#ffffff", dark = "#0b0d12"): string {
  return luminance(background) > 0.55 ? dark : light;
}

/** Measures for a picture of this size: everything that a layout needs to fit every format. */
export function layout(width: number, height: number) {
  const short = Math.min(width, height);
  const aspect = width / height;
  return {
    width,
    height,
    aspect,
    portrait: aspect < 0.9,
    square: aspect >= 0.9 && aspect <= 1.1,
    wide: aspect > 1.1,
    /** A hundredth of the short side: the unit for sizes and gaps. */
    unit: short / 100,
    /** Free space to keep at the edges. */
    margin: short * 0.08,
    /** Width and height inside the margins. */
    inner: { width: width - short * 0.16, height: height - short * 0.16 },
  };
}
