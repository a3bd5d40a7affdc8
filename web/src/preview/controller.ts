/** Where a session's preview stands: asks for it, notices when it is lost, and asks again. Knows no DOM. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { ApiError, asApiError, isAbort } from "../api/errors";
import type { PreviewTicket } from "../api/types";
import type { SessionStore } from "../session/store";
import { canPreview, canWarmUp, type View } from "../session/view";
import { createPlayer, type Player } from "./player";
import { pointsOf } from "./points";
import { type FromPreview, type ToPreview, wrap } from "./protocol";
import { soundOf } from "./sound";

export type PreviewStatus =
  /** Nothing is asked for, or there is nothing to show. */
  | "none"
  /** The sandbox is being started or filled. */
  | "waking"
  /** The page is loading and compiling. */
  | "loading"
  /** The page answers; it may still report an error of the animation. */
  | "ready"
  /** The sandbox was lost or the page went silent; being mended by itself. */
  | "reconnecting"
  /** Cannot be shown; a person can try again. */
  | "failed";

export interface PreviewState {
  status: PreviewStatus;
  ticket: PreviewTicket | null;
  /** Grows with every load; the frame's key. */
  load: number;
  error: ApiError | null;
  /** The version that is looked at; `null` for the working files. */
  version: string | null;
  /** The page is loaded before there is anything to see, so that nobody waits for it then. Nothing it says counts yet. */
  warm: boolean;
}

export interface Preview {
  readonly state: StoreApi<PreviewState>;
  readonly player: Player;
  /** Whether anybody can see it. */
  want(wanted: boolean): void;
  /** Shows a version, or the working files. */
  show(version: string | null): void;
  retry(): void;
  /** The frame's window, and the origin that it must have; `null` when it is gone. */
  attach(target: { post(message: unknown): void } | null): void;
  receive(message: FromPreview): void;
  close(): void;
}

interface Timing {
  /** Between questions whether the page is there. */
  helloMs: number;
  /** Without an answer the page is loaded anew. */
  silenceMs: number;
  /** Before another try to open it. */
  retryMs: readonly number[];
  /** Between visits that keep its sandbox alive, and notice when it is gone. */
  visitMs: number;
}

const TIMING: Timing = {
  helloMs: 700,
  silenceMs: 20_000,
  retryMs: [1_500, 4_000, 10_000],
  visitMs: 60_000,
};

export function createPreview(session: SessionStore, timing: Timing = TIMING): Preview {
  const state = createStore<PreviewState>(() => ({
    status: "none",
    ticket: null,
    load: 0,
    error: null,
    version: null,
    warm: false,
  }));
  let target: { post(message: unknown): void } | null = null;
  const post = (message: ToPreview, n?: number) => target?.post(wrap(message, n));
  const player = createPlayer(post, soundOf(session.id), pointsOf(session.id));

  let wanted = false;
  let closed = false;
  let tries = 0;
  let opening: AbortController | null = null;
  /** The sandbox whose page was asked for ahead: once is enough, whatever came of it. */
  let asked: string | null = null;
  let timers: ReturnType<typeof setTimeout>[] = [];
  let visits: ReturnType<typeof setTimeout> | undefined;
  let seen: View = session.state.getState().view;

  const later = (ms: number, work: () => void) => timers.push(setTimeout(work, ms));
  const calm = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  };

  /** `quiet`: the page stays as it is; only the sandbox is asked to show something else. */
  async function open(status: "waking" | "reconnecting", quiet = false): Promise<void> {
    calm();
    opening?.abort();
    const mine = new AbortController();
    opening = mine;
    if (!quiet) state.setState({ status, error: null, warm: false });
    const { version } = state.getState();
    try {
      const ticket = await session.actions.openPreview(version, mine.signal);
      if (opening !== mine || closed) return;
      opening = null;
      const before = state.getState();
      if (quiet && before.ticket?.url === ticket.url) state.setState({ ticket });
      else loadPage(ticket);
    } catch (thrown) {
      if (isAbort(thrown) || opening !== mine || closed) return;
      opening = null;
      const error = asApiError(thrown);
      const wait = timing.retryMs[tries];
      if (error.retryable && wait !== undefined) {
        tries += 1;
        later(Math.max(wait, (error.retryAfter ?? 0) * 1000), () => void open("reconnecting"));
        state.setState({ status: "reconnecting", error });
        return;
      }
      // An older version that cannot be shown leaves the newest one on the screen.
      if (version !== null && state.getState().ticket) {
        state.setState({ version: null, status: "ready", error });
        return;
      }
      state.setState({ status: "failed", error });
    }
  }

  function loadPage(ticket: PreviewTicket): void {
    calm();
    player.reset();
    state.setState((it) => ({ ticket, load: it.load + 1, status: "loading", error: null }));
    watch();
  }

  /** Asks until the page answers, and loads it anew when it stays silent. */
  function watch(): void {
    const ask = () => {
      if (state.getState().status !== "loading") return;
      post({ type: "hello" });
      later(timing.helloMs, ask);
    };
    later(timing.helloMs, ask);
    later(timing.silenceMs, () => {
      if (state.getState().status !== "loading") return;
      if (tries < timing.retryMs.length) {
        tries += 1;
        void open("reconnecting");
      } else {
        calm();
        state.setState({ status: "failed", error: silent() });
      }
    });
  }

  /** Somebody looks: the sandbox shall live on, and be there. */
  function visit(): void {
    clearTimeout(visits);
    if (!wanted || closed) return;
    visits = setTimeout(async () => {
      const { status, version } = state.getState();
      // Who works in it keeps it alive.
      if (status === "ready" && !seen.turn && !opening) {
        const ticket = await session.actions.openPreview(version).catch(() => null);
        const now = state.getState();
        const same = now.status === "ready" && now.version === version && wanted && !closed;
        if (ticket && same && ticket.url !== now.ticket?.url) loadPage(ticket);
      }
      visit();
    }, timing.visitMs);
  }

  /** Loads the page for what will be there. Where that fails, it is loaded when there is something to see. */
  async function warmUp(): Promise<void> {
    const mine = new AbortController();
    opening = mine;
    asked = seen.sandbox?.id ?? null;
    const ticket = await session.actions.openPreview(null, mine.signal).catch(() => null);
    if (opening !== mine || closed) return;
    opening = null;
    if (ticket) state.setState((it) => ({ ticket, load: it.load + 1, warm: true }));
    if (canPreview(seen)) begin();
  }

  function begin(): void {
    const { status, warm } = state.getState();
    if (status !== "none") return;
    if (!canPreview(seen)) {
      if (!canWarmUp(seen)) state.setState({ warm: false });
      else if (!opening && !warm && asked !== seen.sandbox?.id) void warmUp();
      return;
    }
    if (warm) {
      player.reset();
      state.setState({ status: "loading", error: null, warm: false });
      watch();
      post({ type: "hello" });
      return;
    }
    // Always by asking: a sandbox that was ready when it was last heard of may be gone.
    if (!opening) void open("waking");
  }

  function viewChanged(view: View): void {
    const old = seen;
    seen = view;
    if (old === view) return;
    // The agent works on the newest files, and that is what the sandbox shows from then on.
    if (view.turn && old.turn?.id !== view.turn.id && state.getState().version !== null) {
      state.setState({ version: null });
    }
    const newest = view.versions.at(-1);
    if (newest?.restored_from && newest.id !== old.versions.at(-1)?.id) {
      state.setState({ version: null });
      if (wanted && state.getState().ticket) void open("waking", true);
    }
    if (!wanted) return;
    const { status, warm } = state.getState();
    const [was, is] = [old.sandbox, view.sandbox];
    // Another sandbox, for a plan that was changed: its page is another.
    if (warm && is?.id !== was?.id) state.setState({ warm: false });
    const shown = status === "ready" || status === "loading";
    if (shown && is?.status === "lost" && was?.status !== "lost") {
      tries = 0;
      void open("reconnecting");
    } else if (shown && is?.status === "ready" && is.id && was?.id && is.id !== was.id) {
      const { ticket } = state.getState();
      if (ticket) loadPage(ticket);
    } else {
      begin();
    }
  }

  const unsubscribe = session.state.subscribe(({ view }) => viewChanged(view));

  return {
    state,
    player,
    want(next) {
      if (next === wanted || closed) return;
      wanted = next;
      if (next) {
        tries = 0;
        begin();
        visit();
        return;
      }
      calm();
      clearTimeout(visits);
      opening?.abort();
      opening = null;
      asked = null;
      player.reset();
      state.setState({ status: "none", warm: false });
    },
    show(version) {
      const newest = seen.versions.at(-1)?.id ?? null;
      const next = version === newest ? null : version;
      if (next === state.getState().version) return;
      tries = 0;
      state.setState({ version: next });
      if (wanted) void open("waking");
      else state.setState({ status: "none", ticket: null });
    },
    retry() {
      tries = 0;
      if (wanted) void open("waking");
    },
    attach(next) {
      target = next;
      if (!next) return;
      const { status } = state.getState();
      // Another page than the one that was there: it was drawn elsewhere, or it loaded itself anew.
      if (status === "ready") {
        calm();
        player.reset();
        state.setState({ status: "loading" });
        watch();
      }
      if (status === "ready" || status === "loading") post({ type: "hello" });
    },
    receive(message) {
      if (state.getState().warm) return;
      player.receive(message);
      const { status } = state.getState();
      if (status === "loading" && (message.type === "ready" || message.type === "error")) {
        calm();
        tries = 0;
        state.setState({ status: "ready", error: null });
      }
    },
    close() {
      closed = true;
      unsubscribe();
      calm();
      clearTimeout(visits);
      opening?.abort();
    },
  };
}

const silent = () =>
  new ApiError({
    code: "sandbox_unreachable",
    status: 0,
    message:
      "The preview does not answer. Try again; if its address does not open in a new tab either, see docs/TROUBLESHOOTING.md.",
  });
