/** Facts of a session as short words for people. */

import type { Diagnostic, Engine, Settings } from "../api/types";

export const ENGINE_NAMES: Record<Engine, string> = {
  remotion: "2D · Remotion",
  theatre: "3D · Theatre.js",
};
export const ENGINE_BADGES: Record<Engine, string> = { remotion: "2D", theatre: "3D" };

/** `src/Composition.tsx:12:7`, as editors write it. */
export function place(it: Pick<Diagnostic, "file" | "line" | "column">): string | null {
  if (!it.file) return null;
  return [it.file, it.line, it.column]
    .filter((part) => part !== null && part !== undefined)
    .join(":");
}

export const seconds = (value: number): string => `${Number(value.toFixed(1))} s`;

/** `0:07`, `12:03`. */
export function clock(totalSeconds: number): string {
  const whole = Math.max(0, Math.floor(totalSeconds));
  const minutes = Math.floor(whole / 60);
  return `${minutes}:${String(whole % 60).padStart(2, "0")}`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1_000_000) return `${Math.round(value / 1000)} KB`;
  return `${(value / 1_000_000).toFixed(value < 10_000_000 ? 1 : 0)} MB`;
}

const plain = (value: string | number | null): string =>
  value === null ? "agent's choice" : `${value}`;

const engineName = (engine: Engine | null) => (engine ? ENGINE_NAMES[engine] : "agent's choice");

const speed = (stretch: { speed: number }) => stretch.speed;

/** What differs between two settings, in a line. Empty where nothing does. */
export function settingsChange(before: Settings, after: Settings): string {
  const parts: string[] = [];
  const say = (name: string, from: string, to: string) => {
    if (from !== to) parts.push(`${name} ${from} → ${to}`);
  };
  say("Engine", engineName(before.engine), engineName(after.engine));
  say("Aspect", before.aspect, after.aspect);
  say("Duration", seconds(before.duration_seconds), seconds(after.duration_seconds));
  say("Frame rate", `${before.fps} fps`, `${after.fps} fps`);
  say("Resolution", before.resolution, after.resolution);
  say("Style", plain(before.style), plain(after.style));
  say("Theme", plain(before.theme), plain(after.theme));
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  if (!same(before.colors, after.colors)) parts.push("Colours changed");
  if (!same(before.fonts, after.fonts)) parts.push("Fonts changed");
  if (before.logo !== after.logo) parts.push(after.logo ? "Logo set" : "Logo removed");
  if (!same(before.techniques, after.techniques)) {
    parts.push(
      after.techniques.length
        ? `Techniques: ${after.techniques.join(", ")}`
        : "No techniques asked for",
    );
  }
  const speeds = after.timing.stretches.map(speed);
  if (!same(before.timing.stretches.map(speed), speeds)) {
    const plain = speeds.every((it) => it === 1);
    parts.push(plain ? "Pace as written" : `Pace ${speeds.map((it) => `${it}×`).join(", ")}`);
  }
  say("Last frame held", seconds(before.timing.hold_seconds), seconds(after.timing.hold_seconds));
  if (before.auto_approve !== after.auto_approve) {
    parts.push(after.auto_approve ? "Plans approve themselves" : "Plans wait for approval");
  }
  return parts.join(" · ");
}
