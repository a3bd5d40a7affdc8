// What must be true of an animation. Each check gives a sentence where it is not.
import { boxes } from "./letters.mjs";
import { filling, share, SHARE, way } from "./pictures.mjs";
import { unread } from "./words.mjs";

const checks = {
  /** A type, or fields of the outcome. */
  outcome: ({ outcome }, want) => {
    const fields = Object.entries(typeof want === "string" ? { type: want } : want);
    const other = fields.some(([name, value]) => outcome[name] !== value);
    return other && `it ended as ${JSON.stringify(outcome)}, not ${JSON.stringify(want)}`;
  },
  repairs: ({ events }, want) => {
    const repairs = events.filter((event) => event.type === "model_told").length;
    return repairs !== want && `the model was told of ${repairs} failed checks, not ${want}`;
  },
  /** What a tool refused, in pieces of its words. */
  refused: ({ events }, want) => {
    const words = JSON.stringify(events.filter((event) => event.type === "tool_finished" && event.is_error).map((event) => event.output));
    const missing = [want].flat().filter((text) => !words.includes(text));
    return missing.length > 0 && `no tool refused with: ${missing.join(", ")}; but with ${words.slice(0, 600)}`;
  },
  /** The most calls of the model in all. */
  calls: ({ events }, want) => {
    const calls = events.filter((event) => event.type === "model_started").length;
    return calls > want && `the model was called ${calls} times, more than ${want}`;
  },
  engine: ({ state }, want) => state.approved?.engine !== want && `it is made with ${state.approved?.engine}, not ${want}`,
  aspect: ({ state }, want) => state.settings.aspect !== want && `its shape is ${state.settings.aspect}, not ${want}`,
  seconds: ({ state }, want) => Math.abs(state.settings.duration_seconds - want) > 0.001 && `it takes ${state.settings.duration_seconds} s, not ${want}`,
  /** Length as it is played, slower and faster scenes and the held end included. */
  film: ({ state, seen }, want) => {
    const seconds = (seen.report.frames.at(-1).frame + 1) / state.settings.fps;
    return Math.abs(seconds - want) > 0.05 && `it plays for ${seconds} s, not ${want}`;
  },
  fps: ({ state }, want) => state.settings.fps !== want && `it has ${state.settings.fps} frames a second, not ${want}`,
  versions: ({ versions }, want) => versions.length !== want && `there are ${versions.length} versions, not ${want}`,
  scenes: ({ state }, want) => (state.approved?.scenes.length ?? 0) < want && `the plan has fewer than ${want} scenes`,
  /** Words that are in the design, where they can be edited, and can be read in the pictures. */
  words: ({ design, seen }, want) => {
    const text = JSON.stringify(design).toLowerCase();
    const missing = [want].flat().filter((word) => !text.includes(JSON.stringify(word).slice(1, -1).toLowerCase()));
    return missing.length > 0 ? `these words are not in its design: ${missing.join(", ")}` : checks.shown({ seen }, want);
  },
  /** Words that could be read in the pictures of the newest check. */
  shown: ({ seen }, want) => {
    const texts = seen?.report.texts ?? [];
    const missing = unread(texts, want);
    return missing.length > 0 && `these words cannot be read in it: ${missing.join(", ")}; but ${JSON.stringify(texts).slice(0, 300)}`;
  },
  /** A title whose letters are drawn each as itself, and not as the box of a font that lacks it. Alone in its step, or the last: it edits. */
  drawn: async ({ session }, want) => {
    const missing = await boxes(session, want);
    return missing.length > 0 && `these letters are drawn as empty boxes or not at all: ${missing.join(" ")}`;
  },
  without: ({ design }, want) => {
    const text = JSON.stringify(design).toLowerCase();
    const there = [want].flat().filter((word) => text.includes(word.toLowerCase()));
    return there.length > 0 && `these words are still in it: ${there.join(", ")}`;
  },
  data: ({ design }, want) => {
    const values = Object.fromEntries((design.data ?? []).map(({ label, value }) => [label.toLowerCase(), value]));
    const wrong = Object.entries(want).filter(([label, value]) => values[label.toLowerCase()] !== value);
    return wrong.length > 0 && `these numbers are not in it: ${wrong.map(([label, value]) => `${label} ${value}`).join(", ")}`;
  },
  font: ({ design }, want) => !Object.values(design.fonts ?? {}).includes(want) && `no letters are of ${want}`,
  colors: ({ pixels }, want) => {
    const missing = [want].flat().filter((color) => share(pixels, color) < SHARE);
    return missing.length > 0 && `these colours are not in the pictures: ${missing.join(", ")}`;
  },
  /** How much of the pictures a colour must fill at least: more than the soft edge between two others. */
  areas: ({ pixels }, want) => {
    const wrong = Object.entries(want).filter(([color, least]) => share(pixels, color) < least);
    return wrong.length > 0 && `too little of the pictures has these colours: ${wrong.map(([color]) => `${color}, ${share(pixels, color).toFixed(3)}`).join("; ")}`;
  },
  /** Colours from the slowest to the fastest: each goes clearly further from side to side than the one before. */
  parallax: ({ pixels, seen }, want) => {
    const ways = want.map((color) => way(pixels, seen.report.frames.length, color));
    const wrong = ways.some((length, at) => at > 0 && length < ways[at - 1] * 1.5 + 0.02);
    return wrong && `its layers do not move at speeds of their own: ${want.map((color, at) => `${color} by ${ways[at].toFixed(2)}`).join(", ")}`;
  },
  /** How little and how much a colour fills of the box around it, when its shape becomes another. */
  becomes: ({ pixels, seen }, { color, least, most }) => {
    const [from, to] = filling(pixels, seen.report.frames.length, color);
    return !(from <= least && to >= most) && `its shape stays what it is: it fills ${from.toFixed(2)} to ${to.toFixed(2)} of its box, not ${least} to ${most}`;
  },
  /** Uploads that the newest version has, byte by byte, below a safe name, in its files and in its zip. */
  files: async ({ session, workspace }, want) => {
    for (const name of [want].flat()) {
      const asset = session.assets.get(name);
      const kept = await session.kept(asset);
      // Only a drawing is changed on its way: it is cleaned.
      if (asset.type !== "image/svg+xml" && !kept.equals(asset.given)) return `${name} is not kept as it was given`;
      if (!/^public\/assets\/[a-z0-9-]+\.[a-z0-9]+$/.test(asset.path)) return `${asset.path} is no safe name`;
      if (!workspace.listed.get(asset.path)?.bytes?.equals(kept)) return `${name} is not among its files as it was given`;
      if (!workspace.zipped.get(asset.path)?.equals(kept)) return `${name} is not in its zip as it was given`;
    }
    return false;
  },
  /** Uploads that no version has, by whatever name. */
  absent: async ({ session, workspace }, want) => {
    for (const name of [want].flat()) {
      const asset = session.assets.get(name);
      const kept = await session.kept(asset);
      const listed = [...workspace.listed].find(([path, { blob }]) => path === asset.path || blob === asset.blob);
      const zipped = [...workspace.zipped].find(([path, bytes]) => path === asset.path || bytes.equals(kept));
      if (listed || zipped) return `${name} is in it as ${(listed ?? zipped)[0]}`;
    }
    return false;
  },
  /** Files that the newest version may have changed, uploads by the names that they came with; no others. */
  changed: ({ session, versions }, want) => {
    const last = versions.at(-1);
    const may = want.map((path) => session.assets.get(path)?.path ?? path);
    const others = [...(last?.changed ?? []), ...(last?.removed ?? [])].filter((path) => !may.includes(path));
    return others.length > 0 && `it changed more than it should: ${others.join(", ")}`;
  },
};

/** Whatever was asked for: it passed its check, moves, and is not blank. */
function whole({ seen, outcome }) {
  if (outcome.type !== "ready") return [];
  const wrong = [];
  const error = seen?.report.diagnostics.find((it) => it.severity === "error");
  if (!seen || error) wrong.push(`its check did not pass: ${error?.message ?? "there was none"}`);
  const frames = seen?.report.frames ?? [];
  if (new Set(frames.map((frame) => frame.sha256)).size < 2) wrong.push("it does not move");
  if (frames.length > 0 && frames.every((frame) => frame.colors < 2)) wrong.push("it is blank");
  return wrong;
}

/** What is not as it should be. */
export async function faults(session, outcome, expect) {
  const all = { outcome: "ready", ...expect };
  const unknown = Object.keys(all).filter((name) => !checks[name]);
  if (unknown.length > 0) throw new Error(`there is no check named ${unknown.join(", ")}`);
  const wants = (...names) => names.some((name) => all[name]);
  const facts = {
    session,
    outcome,
    state: await session.state(),
    design: await session.design(),
    seen: session.seen(),
    versions: session.versions(),
    events: session.events,
    pixels: wants("colors", "areas", "parallax", "becomes") ? await session.pixels() : Buffer.alloc(0),
    workspace: wants("files", "absent") ? await session.workspace() : null,
  };
  const said = [];
  for (const [name, want] of Object.entries(all)) if (name !== "drawn") said.push(await checks[name](facts, want));
  const wrong = [...said.filter(Boolean), ...whole(facts)];
  // It edits, so it comes when all else was looked at, and only where that is as it should be.
  if (all.drawn && wrong.length === 0) wrong.push(await checks.drawn(facts, all.drawn));
  return wrong.filter(Boolean);
}
