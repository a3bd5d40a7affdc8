// What must be true of an animation. Each check gives a sentence where it is not.

/** How far a pixel may be from a colour, in each of red, green and blue: letters have soft edges, light has gradients. */
const NEAR = 28;
/** How much of the pictures a colour must fill to be there. */
const SHARE = 0.0008;

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
  words: ({ design }, want) => {
    const text = JSON.stringify(design).toLowerCase();
    const missing = [want].flat().filter((word) => !text.includes(JSON.stringify(word).slice(1, -1).toLowerCase()));
    return missing.length > 0 && `these words are not in it: ${missing.join(", ")}`;
  },
  /** Words that could be read in the pictures of the newest check. */
  shown: ({ seen }, want) => {
    const text = (seen?.report.texts ?? []).join(" ").toLowerCase().replace(/\s+/g, " ");
    const missing = [want].flat().flatMap((words) => words.toLowerCase().split(/\s+/)).filter((word) => !text.includes(word));
    return missing.length > 0 && `these words cannot be read in it: ${missing.join(", ")}`;
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
  /** Files that the newest version may have changed; no others. */
  changed: ({ versions }, want) => {
    const last = versions.at(-1);
    const others = [...(last?.changed ?? []), ...(last?.removed ?? [])].filter((path) => !want.includes(path));
    return others.length > 0 && `it changed more than it should: ${others.join(", ")}`;
  },
};

function share(pixels, color) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  let near = 0;
  for (let at = 0; at < pixels.length; at += 3) {
    if (Math.abs(pixels[at] - red) <= NEAR && Math.abs(pixels[at + 1] - green) <= NEAR && Math.abs(pixels[at + 2] - blue) <= NEAR) near++;
  }
  return pixels.length === 0 ? 0 : near / (pixels.length / 3);
}

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
  const facts = {
    outcome,
    state: await session.state(),
    design: await session.design(),
    seen: session.seen(),
    versions: session.versions(),
    events: session.events,
    pixels: all.colors ? await session.pixels() : Buffer.alloc(0),
  };
  const said = Object.entries(all).map(([name, want]) => checks[name](facts, want));
  return [...said.filter(Boolean), ...whole(facts)];
}
