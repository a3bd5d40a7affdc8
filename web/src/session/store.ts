/** One store per session: the view of its events, what is on its way to the server, and what went wrong where. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { api as realApi } from "../api/client";
import { type ApiError, asApiError, isAbort } from "../api/errors";
import { idempotencyKey } from "../api/ids";
import type {
  DesignPatch,
  Plan,
  PreviewTicket,
  RenderSpec,
  SessionEvent,
  SettingsPatch,
} from "../api/types";
import type { Feed, FeedHandle } from "./feed";
import { fold } from "./reducer";
import { EMPTY, openPlan, type View } from "./view";

/** A message that was sent, until its event arrives. */
export interface PendingMessage {
  key: string;
  text: string;
  attachments: readonly string[];
  context: readonly string[];
  status: "sending" | "retrying" | "sent" | "failed";
  error: ApiError | null;
}

export interface Outgoing {
  text: string;
  attachments?: readonly string[];
  context?: readonly string[];
}

/** Where an error is shown. */
export type Place = "plan" | "stop" | "settings" | "design" | "restore" | "render" | "session";

export interface SessionData {
  view: View;
  /** Whether the log is here. */
  loading: boolean;
  pending: readonly PendingMessage[];
  /** Actions whose answer has not come. */
  busy: Readonly<Partial<Record<Place, boolean>>>;
  errors: Readonly<Partial<Record<Place, ApiError>>>;
}

export interface SessionActions {
  post(message: Outgoing): void;
  /** Sends a message that failed once more, as the same message. */
  retry(key: string): void;
  discard(key: string): PendingMessage | null;
  approve(plan?: Plan): Promise<boolean>;
  reject(reason?: string): Promise<boolean>;
  stop(): Promise<boolean>;
  patch(patch: SettingsPatch): Promise<boolean>;
  /** Changes words, colours, fonts or numbers; changes that come while one is on its way follow together. */
  editDesign(patch: DesignPatch): Promise<boolean>;
  restore(versionId: string): Promise<boolean>;
  render(spec: Partial<RenderSpec>): Promise<boolean>;
  cancelRender(id: string): Promise<boolean>;
  deleteRender(id: string): Promise<boolean>;
  openPreview(versionId: string | null, signal?: AbortSignal): Promise<PreviewTicket>;
  dismiss(place: Place): void;
}

export interface SessionStore {
  readonly id: string;
  readonly state: StoreApi<SessionData>;
  readonly actions: SessionActions;
  close(): void;
}

type Api = Pick<typeof realApi, "sessions" | "versions" | "renders">;

export interface SessionOptions {
  api?: Api;
  /** Waits before a message is sent again; one less than the tries. */
  waits?: readonly number[];
}

const WAITS = [500, 1_000, 2_000, 4_000, 8_000];

export function createSessionStore(
  id: string,
  feed: Feed,
  { api = realApi, waits = WAITS }: SessionOptions = {},
): SessionStore {
  const state = createStore<SessionData>(() => ({
    view: EMPTY,
    loading: true,
    pending: [],
    busy: {},
    errors: {},
  }));
  const closing = new AbortController();
  let handle: FeedHandle | null = null;

  function take(events: readonly SessionEvent[]): void {
    const before = state.getState();
    const view = fold(before.view, events);
    if (view === before.view && !before.loading) return;
    const arrived = new Set<string>();
    for (const event of events) {
      if (event.type === "message_posted" && event.key) arrived.add(event.key);
    }
    const pending =
      arrived.size > 0 ? before.pending.filter((it) => !arrived.has(it.key)) : before.pending;
    state.setState({ view, pending, loading: false });
    if (view.gap) void fill();
  }

  let filling = false;
  async function fill(): Promise<void> {
    if (filling) return;
    filling = true;
    try {
      const { items } = await api.sessions.log(
        id,
        state.getState().view.seq,
        undefined,
        closing.signal,
      );
      filling = false;
      take(items);
    } catch {
      // The next event tries again.
      filling = false;
    }
  }

  const edit = (key: string, patch: Partial<PendingMessage>) =>
    state.setState(({ pending }) => ({
      pending: pending.map((it) => (it.key === key ? { ...it, ...patch } : it)),
    }));

  const pendingOf = (key: string) => state.getState().pending.find((it) => it.key === key);

  async function send(key: string): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const message = pendingOf(key);
      if (!message || closing.signal.aborted) return;
      try {
        const body = {
          text: message.text,
          attachments: [...message.attachments],
          context: [...message.context],
        };
        await api.sessions.message(id, body, { key, signal: closing.signal });
        edit(key, { status: "sent", error: null });
        handle?.wake();
        return;
      } catch (thrown) {
        if (isAbort(thrown)) return;
        const error = asApiError(thrown);
        const wait = waits[attempt];
        if (!error.retryable || wait === undefined) {
          edit(key, { status: "failed", error });
          return;
        }
        edit(key, { status: "retrying", error });
        await pause(Math.max(wait, (error.retryAfter ?? 0) * 1000), closing.signal);
      }
    }
  }

  /** Runs an action; its error is kept where it belongs. */
  async function act(place: Place, work: () => Promise<unknown>): Promise<boolean> {
    if (state.getState().busy[place]) return false;
    state.setState(({ busy, errors }) => ({
      busy: { ...busy, [place]: true },
      errors: { ...errors, [place]: undefined },
    }));
    try {
      await work();
      handle?.wake();
      return true;
    } catch (thrown) {
      const error = asApiError(thrown);
      state.setState(({ errors }) => ({ errors: { ...errors, [place]: error } }));
      return false;
    } finally {
      state.setState(({ busy }) => ({ busy: { ...busy, [place]: false } }));
    }
  }

  let edits: DesignPatch | null = null;

  const hash = () => openPlan(state.getState().view)?.hash;

  // One key for each intent, so that a double click or a retry is one render.
  const keys = new Map<string, string>();
  const once = async (intent: string, work: (key: string) => Promise<unknown>) => {
    const key = keys.get(intent) ?? idempotencyKey();
    keys.set(intent, key);
    try {
      await work(key);
      keys.delete(intent);
    } catch (thrown) {
      if (!asApiError(thrown).retryable) keys.delete(intent);
      throw thrown;
    }
  };

  handle = feed(id, take, (error) =>
    state.setState(({ errors }) => ({ loading: false, errors: { ...errors, session: error } })),
  );

  return {
    id,
    state,
    close() {
      closing.abort();
      handle?.close();
    },
    actions: {
      post(message) {
        const key = idempotencyKey();
        const pending: PendingMessage = {
          key,
          text: message.text,
          attachments: message.attachments ?? [],
          context: message.context ?? [],
          status: "sending",
          error: null,
        };
        state.setState((it) => ({ pending: [...it.pending, pending] }));
        void send(key);
      },
      retry(key) {
        if (pendingOf(key)?.status !== "failed") return;
        edit(key, { status: "sending", error: null });
        void send(key);
      },
      discard(key) {
        const found = pendingOf(key) ?? null;
        state.setState(({ pending }) => ({ pending: pending.filter((it) => it.key !== key) }));
        return found;
      },
      async approve(plan) {
        const open = hash();
        if (!open) return false;
        const body = { decision: "approve" as const, hash: open, ...(plan ? { plan } : {}) };
        return act("plan", () =>
          once(`approve ${JSON.stringify(body)}`, (key) => api.sessions.plan(id, body, { key })),
        );
      },
      async reject(reason) {
        const open = hash();
        if (!open) return false;
        const body = { decision: "reject" as const, hash: open, ...(reason ? { reason } : {}) };
        return act("plan", () =>
          once(`reject ${JSON.stringify(body)}`, (key) => api.sessions.plan(id, body, { key })),
        );
      },
      stop: () => act("stop", () => api.sessions.stop(id)),
      async editDesign(patch) {
        const { colors, fonts, ...rest } = patch;
        edits = {
          ...edits,
          ...rest,
          ...(colors && { colors: { ...edits?.colors, ...colors } }),
          ...(fonts && { fonts: { ...edits?.fonts, ...fonts } }),
        };
        if (state.getState().busy.design) return true;
        let taken = true;
        while (taken && edits) {
          const sent: DesignPatch = edits;
          edits = null;
          taken = await act("design", () => api.sessions.editDesign(id, sent));
        }
        edits = null;
        return taken;
      },
      patch: (patch) => act("settings", () => api.sessions.settings(id, patch)),
      restore: (versionId) =>
        act("restore", () =>
          once(`restore ${versionId}`, (key) => api.versions.restore(id, versionId, { key })),
        ),
      render: (spec) =>
        act("render", () =>
          once(`render ${JSON.stringify(spec)}`, (key) => api.renders.create(id, spec, { key })),
        ),
      cancelRender: (render) => act("render", () => api.renders.cancel(id, render)),
      deleteRender: (render) => act("render", () => api.renders.remove(id, render)),
      async openPreview(versionId, signal) {
        const ticket = await api.sessions.preview(id, versionId, signal);
        handle?.wake();
        return ticket;
      },
      dismiss: (place) =>
        state.setState(({ errors }) => ({ errors: { ...errors, [place]: undefined } })),
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
