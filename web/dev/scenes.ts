/** Streams of events for the fixture page, by name. */

import type { Diagnostic } from "../src/api/types";
import { again } from "../src/session/again";
import { fold } from "../src/session/reducer";
import { CLAUDE, DEMO, DIAGNOSTIC, PLAN, render, Story, settings } from "../src/session/story";
import { EMPTY, type OutcomeItem } from "../src/session/view";

const output = {
  object: "o",
  filename: "aurora-launch-v1-1920x1080-30.mp4",
  media_type: "video/mp4",
  bytes: 2_412_331,
  sha256: "0",
  size: { width: 1920, height: 1080 },
  fps: 30,
  frames: 195,
  duration_seconds: 6.5,
  capture: "begin-frame",
  seconds: 9.1,
  poster: "p",
};

const now = () => new Story(Date.now() - 95_000).created();
const built = () => now().built();

const layout: Diagnostic = {
  ...DIAGNOSTIC,
  gate: "layout",
  code: "text_clipped",
  severity: "warning",
  message: "“Twelve hours of light” is cut off at the right edge.",
  line: 31,
  column: 9,
  frame: 96,
  hint: "Make the text smaller, or let it wrap.",
};

const unknown: Diagnostic = {
  ...DIAGNOSTIC,
  code: "TS2304",
  message: "Cannot find name 'Perspective'. Did you forget to import it from “remotion”?",
  line: 4,
  column: 18,
  hint: null,
};

export const scenes: Record<string, () => Story> = {
  idle: () => new Story().created(),
  streaming: () =>
    now()
      .asked("A launch teaser for Aurora, our new lamp. Calm, cosmic, six seconds.")
      .says(
        1,
        "A calm reveal suits this. I would open on the **name** and let three facts",
        "The person wants calm and cosmic. A slow gradient, one idea per scene.",
      ),
  thinking: () =>
    now()
      .asked("A launch teaser for Aurora.")
      .tell(
        { type: "model_started", step: 1, model: CLAUDE },
        { type: "thinking_delta", step: 1, text: "Calm and cosmic: slow gradient." },
      ),
  question: () =>
    now()
      .asked("An animation for our shop")
      .said(1, "Two things would change the plan.")
      .tell(
        {
          type: "question_asked",
          question: {
            intro: "Before I plan: where will it be shown, and what should it say?",
            fields: [
              {
                id: "where",
                label: "Where will it run?",
                kind: "choice",
                options: ["Website", "Instagram story", "Shop window"],
              },
              {
                id: "mood",
                label: "Which moods fit?",
                kind: "multiple_choice",
                options: ["Warm", "Bold", "Playful", "Elegant"],
              },
              { id: "words", label: "Which words must appear?", kind: "text", options: [] },
            ],
          },
        },
        { type: "turn_finished", outcome: { type: "awaiting_answer" } },
      ),
  plan: () => now().planned(),
  building: () =>
    now()
      .planned()
      .approved()
      .sandbox("starting")
      .sandbox("ready")
      .said(1, "I set words, colours and timing first, then build the scenes.")
      .tell({
        type: "todos_updated",
        todos: [
          { label: "Set words, colours and timing", status: "done" },
          { label: "Build the three scenes", status: "active" },
          { label: "Look at the result", status: "pending" },
          { label: "Check every frame", status: "pending" },
        ],
      })
      .ran("b1", "write_file", "Writing src/design.ts", "Wrote src/design.ts (34 lines)")
      .wrote("src/design.ts")
      .ran(
        "b2",
        "write_file",
        "Writing src/Composition.tsx",
        "Wrote src/Composition.tsx (88 lines)",
      )
      .wrote("src/Composition.tsx")
      .ran("b3", "read_file", "Reading src/koda/motion.ts", "Read 120 lines")
      .runs("b4", "write_file", "Writing src/scenes/Facts.tsx"),
  starting: () => now().planned().approved().sandbox("starting"),
  queued: () => scenes.building?.().posted("Make the facts bigger, please") ?? now(),
  checking: () =>
    now()
      .planned()
      .approved()
      .sandbox("ready")
      .said(1, "Done; checking.")
      .wrote("src/Composition.tsx")
      .checked(false)
      .told()
      .said(2, "The duration was a word; it is a number now.")
      .tell({ type: "check_started" }),
  failed: () =>
    built()
      .asked("Make the name spin in 3D while it explodes")
      .said(1, "I try a perspective spin.")
      .coded("claude-haiku-4-5", 12_400)
      .wrote("src/Composition.tsx")
      .checked(false, [unknown])
      .told()
      .said(2, "I import what was missing.")
      .checked(false)
      .told()
      .said(3, "A number it is.")
      .checked(false)
      .tell(
        {
          type: "files_restored",
          version_id: "ver_1",
          files: { "src/Composition.tsx": { blob: "v1-src/Composition.tsx", size: 2100 } },
          settings: settings({ duration_seconds: 6.5 }),
        },
        {
          type: "turn_finished",
          outcome: {
            type: "check_failed",
            diagnostic: DIAGNOSTIC,
            repairs: 2,
            version_id: "ver_1",
          },
        },
      ),
  repeated: () =>
    (scenes.failed?.() ?? now())
      .asked(
        again(
          fold(EMPTY, scenes.failed?.().events ?? []).items.findLast(
            (it) => it.kind === "outcome",
          ) as OutcomeItem,
        ),
      )
      .says(1, "I rotate the letters with a transform this time."),
  unbuilt: () =>
    now()
      .planned()
      .approved()
      .said(1, "Done.")
      .coded("qwen3-coder", 0)
      .wrote("src/Composition.tsx")
      .checked(false)
      .tell({
        type: "turn_finished",
        outcome: { type: "check_failed", diagnostic: DIAGNOSTIC, repairs: 0, version_id: null },
      }),
  byhand: () =>
    built()
      .tell({ type: "turn_started", input: { type: "settings" } })
      .version(2, "Title “Aurora” → “A very long name”")
      .checked(false)
      .version(3, "Back to version 1: the change did not pass", {
        restored_from: "ver_1",
        turn_id: null,
      })
      .tell({
        type: "turn_finished",
        outcome: { type: "check_failed", diagnostic: DIAGNOSTIC, repairs: 0, version_id: "ver_3" },
      }),
  stuck: () => {
    const story = built().asked("Use the old intro").said(1, "Let me read it.");
    for (const id of ["s1", "s2", "s3"])
      story.ran(id, "read_file", "Reading src/Intro.tsx", "There is no file src/Intro.tsx", true);
    return story.tell({
      type: "turn_finished",
      outcome: {
        type: "failed",
        code: "stuck",
        message:
          "The agent tried the same again and again, and it never worked. What was done so far is kept; say what you want in other words, or in smaller steps.",
      },
    });
  },
  error: () =>
    built()
      .asked("Bigger")
      .tell({
        type: "turn_finished",
        outcome: {
          type: "failed",
          code: "model_busy",
          message: "The model is busy. Send the message again in a minute.",
        },
      }),
  budget: () =>
    built()
      .asked("Redo it all")
      .said(1, "This is a lot.")
      .tell({ type: "turn_finished", outcome: { type: "budget_exhausted", what: "steps" } }),
  stopped: () =>
    built()
      .asked("Bigger")
      .says(1, "I make")
      .tell({ type: "stop_requested" }, { type: "turn_finished", outcome: { type: "stopped" } }),
  ready: () => built(),
  demo: () =>
    now()
      .asked("A launch teaser")
      .said(1, "I am the demo model: I pick a recipe by your words.", "", DEMO)
      .tell(
        { type: "plan_proposed", plan: PLAN, hash: "hash-1" },
        { type: "turn_finished", outcome: { type: "awaiting_plan" } },
      ),
  lost: () => built().sandbox("lost"),
  edited: () =>
    built()
      .asked("Make the facts slower, and warmer in colour")
      .said(
        1,
        "The facts now take **4 seconds**, and the palette is warmer:\n\n- amber accent\n- cream text",
      )
      .ran("e1", "edit_file", "Editing src/design.ts", "Changed 3 lines of src/design.ts")
      .wrote("src/design.ts")
      .checked(true, [layout])
      .ready(2, "Slower facts, warmer colours")
      .tell({
        type: "settings_changed",
        settings: settings({ duration_seconds: 6.5, aspect: "1:1" }),
        by: "person",
      })
      .tell({ type: "turn_started", input: { type: "settings" } })
      .checked(true)
      .version(3, "1:1, 6.5 s at 30 fps", { settings: settings({ duration_seconds: 6.5 }) })
      .tell({ type: "turn_finished", outcome: { type: "ready", version_id: "ver_3" } }),
  exporting: () =>
    built()
      .queued("rnd_1")
      .tell(
        { type: "render_started", render_id: "rnd_1", attempt: 1 },
        {
          type: "render_progressed",
          render_id: "rnd_1",
          progress: { stage: "capture", frame: 84, total: 195, fps: 38.4, seconds_left: 2.9 },
        },
      )
      .queued("rnd_2", {
        spec: { ...render("x").spec, format: "gif" },
        size: { width: 1280, height: 720 },
      }),
  exported: () =>
    built()
      .queued("rnd_1")
      .tell({ type: "render_ready", render_id: "rnd_1", output })
      .queued("rnd_2", { spec: { ...render("x").spec, format: "webm", transparent: true } })
      .tell({
        type: "render_failed",
        render_id: "rnd_2",
        failure: {
          code: "frame_failed",
          message: "The composition threw: x is undefined.",
          frame: 61,
        },
      }),
};
