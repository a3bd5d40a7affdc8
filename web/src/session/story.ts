/** Hand-made event streams, for tests and for the fixture page. */

import type {
  Diagnostic,
  EventBody,
  ModelLabel,
  Plan,
  Render,
  SessionEvent,
  Settings,
  Version,
} from "../api/types";
import { DEFAULT_SETTINGS } from "./view";

export const SESSION = "ses_01kb0000000000000000000000";
export const DEMO: ModelLabel = { provider: "demo", model: "demo", is_ai: false };
export const CLAUDE: ModelLabel = { provider: "anthropic", model: "claude-opus-4-5", is_ai: true };

export const PLAN: Plan = {
  title: "Aurora launch",
  summary:
    "A calm product reveal: the name builds letter by letter over a slow gradient, three facts slide in, and the logo settles in the middle.",
  engine: "remotion",
  scenes: [
    {
      title: "Name",
      description: "“Aurora” builds letter by letter over a slow gradient.",
      duration_seconds: 2,
    },
    {
      title: "Three facts",
      description: "Facts slide in from the left, one after another.",
      duration_seconds: 3,
    },
    {
      title: "Logo",
      description: "Everything gives way to the logo, which settles and breathes.",
      duration_seconds: 1.5,
    },
  ],
  design: {
    colors: { background: "#0b1020", primary: "#7c5cff", accent: "#22d3ee", text: "#f8fafc" },
    fonts: { title: "Space Grotesk", body: "Inter" },
    mood: "calm, confident, a little cosmic",
  },
  assumptions: [
    "There is no logo file, so the name stands in for it.",
    "Landscape, because nothing was said.",
  ],
  settings: { aspect: "16:9" },
};

export const DIAGNOSTIC: Diagnostic = {
  gate: "types",
  code: "TS2322",
  severity: "error",
  file: "src/Composition.tsx",
  line: 12,
  column: 7,
  message: "Type 'string' is not assignable to type 'number'.",
  frame: null,
  hint: "Give spring() a number: durationInFrames is 45, not “45”.",
};

export function settings(patch: Partial<Settings> = {}): Settings {
  return { ...DEFAULT_SETTINGS, ...patch };
}

/** Writes a log: each call appends an event one second after the one before. */
export class Story {
  readonly events: SessionEvent[] = [];
  private turn: string | null = null;
  private turns = 0;
  private messages = 0;
  private readonly start: number;

  constructor(start = Date.parse("2026-11-23T10:00:00Z")) {
    this.start = start;
  }

  tell(...bodies: EventBody[]): this {
    for (const body of bodies) {
      if (body.type === "turn_started") {
        this.turns += 1;
        this.turn = `trn_${this.turns}`;
      }
      const seq = this.events.length + 1;
      const at = new Date(this.start + seq * 1000).toISOString();
      this.events.push({ seq, at, session_id: SESSION, turn_id: this.turn, ...body });
      if (body.type === "turn_finished") this.turn = null;
    }
    return this;
  }

  created(patch: Partial<Settings> = {}): this {
    return this.tell({
      type: "session_created",
      project_id: "prj_1",
      node_id: "node-1",
      settings: settings(patch),
    });
  }

  posted(text: string, key: string | null = null, context: string[] = []): this {
    this.messages += 1;
    return this.tell({
      type: "message_posted",
      message_id: `msg_${this.messages}`,
      text,
      attachments: [],
      context,
      key,
    });
  }

  /** A turn takes the message that was posted last, or this one. */
  taken(message = this.messages): this {
    return this.tell({
      type: "turn_started",
      input: { type: "message", message_id: `msg_${message}` },
    });
  }

  asked(text: string): this {
    return this.posted(text).taken();
  }

  says(step: number, text: string, thinking = "", model = CLAUDE): this {
    this.tell({ type: "model_started", step, model });
    if (thinking) this.tell({ type: "thinking_delta", step, text: thinking });
    for (const piece of text.match(/.{1,24}/gs) ?? [])
      this.tell({ type: "text_delta", step, text: piece });
    return this;
  }

  /** The code generator wrote; without a price where its model has none. */
  coded(model: string, cost_micros: number): this {
    return this.tell({
      type: "generator_finished",
      model,
      usage: {
        input_tokens: 600,
        cached_tokens: 2400,
        cache_write_tokens: 0,
        output_tokens: 1500,
        cost_micros,
      },
      seconds: 7.5,
    });
  }

  said(step: number, text: string, thinking = "", model = CLAUDE): this {
    return this.says(step, text, thinking, model).tell({
      type: "model_finished",
      step,
      answer: {
        content: [{ type: "text", text }],
        stop: "end_turn",
        usage: {
          input_tokens: 1200,
          cached_tokens: 800,
          cache_write_tokens: 0,
          output_tokens: 90,
          cost_micros: 2100,
        },
        model: model.model,
      },
      seconds: 2.4,
    });
  }

  runs(id: string, name: string, title: string): this {
    return this.tell({ type: "tool_started", call: { id, name, input: {} }, title });
  }

  ran(id: string, name: string, title: string, summary: string, is_error = false): this {
    return this.runs(id, name, title).tell({
      type: "tool_finished",
      call_id: id,
      name,
      is_error,
      output: [{ type: "text", text: summary }],
      summary,
      seconds: 0.4,
    });
  }

  wrote(path: string, blob = `blob-${path}-${this.events.length}`): this {
    return this.tell({ type: "file_written", path, entry: { blob, size: 1800 } });
  }

  /** The agent hears of a check; of one that passed, what it noted. */
  told(noted: readonly string[] = []): this {
    return this.tell({ type: "model_told", text: "", ...(noted.length && { noted }) } as EventBody);
  }

  checked(ok: boolean, diagnostics: Diagnostic[] = ok ? [] : [DIAGNOSTIC]): this {
    return this.tell(
      { type: "check_started" },
      {
        type: "check_finished",
        report: {
          ok,
          seconds: 4.2,
          gates: [
            { gate: "lint", ok: true, seconds: 0.1 },
            { gate: "types", ok, seconds: 1.9 },
            ...(ok
              ? ["bundle", "load", "frames", "layout"].map((gate) => ({ gate, ok, seconds: 0.6 }))
              : []),
          ],
          diagnostics,
          frames: [],
          sheet: ok ? ".koda/check/sheet.png" : null,
          texts: ok ? ["Hello"] : [],
        },
        digest: "digest",
        sheet: ok ? "sheet-blob" : null,
      },
    );
  }

  sandbox(status: "starting" | "ready" | "asleep" | "lost" | "failed"): this {
    return this.tell({
      type: "sandbox_changed",
      status,
      sandbox_id: status === "ready" ? "sbx_1" : null,
      provider: "local",
      seconds: status === "ready" ? 1.1 : null,
    });
  }

  version(number: number, summary: string, patch: Partial<Version> = {}): this {
    const files = Object.fromEntries(
      ["src/Composition.tsx", "src/design.ts", "src/scenes/Facts.tsx"].map((path) => [
        path,
        { blob: `v${number}-${path}`, size: 2100 },
      ]),
    );
    return this.tell({
      type: "version_created",
      version: {
        id: `ver_${number}`,
        number,
        summary,
        created_at: new Date(this.start + this.events.length * 1000).toISOString(),
        turn_id: this.turn,
        restored_from: null,
        title: PLAN.title,
        engine: PLAN.engine,
        settings: settings({ duration_seconds: 6.5 }),
        files,
        changed: Object.keys(files),
        removed: [],
        ...patch,
      },
    });
  }

  ready(number: number, summary: string): this {
    return this.version(number, summary).tell({
      type: "turn_finished",
      outcome: { type: "ready", version_id: `ver_${number}` },
    });
  }

  /** From the first message to a plan that waits. */
  planned(text = "A launch teaser for Aurora, our new lamp. Calm, cosmic, six seconds."): this {
    return this.asked(text)
      .said(
        1,
        "Here is what I would make. Change anything, or approve it.",
        "Calm and cosmic: slow gradient, one idea a scene.",
      )
      .ran("call_plan", "propose_plan", "Proposing a plan", "Proposed “Aurora launch”")
      .tell(
        { type: "plan_proposed", plan: PLAN, hash: "hash-1" },
        { type: "turn_finished", outcome: { type: "awaiting_plan" } },
      );
  }

  approved(): this {
    return this.tell(
      { type: "plan_approved", plan: PLAN, hash: "hash-1", by: "person" },
      { type: "turn_started", input: { type: "plan", hash: "hash-1" } },
    );
  }

  /** From the first message to the first version. */
  built(): this {
    return this.planned()
      .approved()
      .sandbox("starting")
      .sandbox("ready")
      .tell({
        type: "todos_updated",
        todos: [
          { label: "Set words, colours and timing", status: "done" },
          { label: "Build the three scenes", status: "done" },
          { label: "Check every frame", status: "active" },
        ],
      })
      .said(1, "I will set the design first, then build the scenes.")
      .ran("call_1", "write_file", "Writing src/design.ts", "Wrote src/design.ts (34 lines)")
      .wrote("src/design.ts")
      .ran(
        "call_2",
        "generate_code",
        "Writing code",
        "Wrote src/Composition.tsx; Wrote src/scenes/Facts.tsx",
      )
      .wrote("src/Composition.tsx")
      .wrote("src/scenes/Facts.tsx")
      .said(
        2,
        "Everything is in place: the name builds over the gradient, the facts follow, and the logo settles at the end.",
      )
      .ran("call_3", "finish", "Finishing", "Built “Aurora launch”")
      .checked(true)
      .ready(1, "Built “Aurora launch”");
  }

  queued(id: string, patch: Partial<Render> = {}): this {
    return this.tell({ type: "render_queued", render: render(id, patch) });
  }
}

export function render(id: string, patch: Partial<Render> = {}): Render {
  return {
    id,
    version_id: "ver_1",
    spec: {
      version_id: null,
      resolution: "1080p",
      fps: 30,
      format: "mp4",
      quality: "standard",
      range: null,
      transparent: false,
    },
    size: { width: 1920, height: 1080 },
    fps: 30,
    frames: 195,
    helpers: [],
    created_at: "2026-11-23T10:05:00Z",
    status: "queued",
    attempts: 0,
    progress: null,
    output: null,
    failure: null,
    cancel_requested: false,
    ...patch,
  };
}
