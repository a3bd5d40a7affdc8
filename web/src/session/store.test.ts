import { describe, expect, it, vi } from "vitest";
import { ApiError, networkError } from "../api/errors";
import type { SessionEvent } from "../api/types";
import { type Feed, logFeed } from "./feed";
import { createSessionStore, type SessionOptions } from "./store";
import { PLAN, SESSION, Story } from "./story";

type Api = NonNullable<SessionOptions["api"]>;

/** A feed that is told by hand. */
function byHand() {
  let take: (events: readonly SessionEvent[]) => void = () => {};
  const wake = vi.fn();
  const feed: Feed = (_, to) => {
    take = to;
    return { wake, close: () => {} };
  };
  return { feed, wake, tell: (events: readonly SessionEvent[]) => take(events) };
}

/** An API of which only the named calls may be made. */
function only(calls: { sessions?: object; versions?: object; renders?: object }): Api {
  return { sessions: {}, versions: {}, renders: {}, ...calls } as unknown as Api;
}

const until = (check: () => void) => vi.waitFor(check, { interval: 2 });

describe("a message", () => {
  it("is shown at once and gives way to its event", async () => {
    const hand = byHand();
    const keys: string[] = [];
    const message = vi.fn(async (_id: string, _body: unknown, call: { key: string }) => {
      keys.push(call.key);
      return { message_id: "msg_1", queued: false };
    });
    const store = createSessionStore(SESSION, hand.feed, { api: only({ sessions: { message } }) });
    store.actions.post({ text: "Hello" });
    expect(store.state.getState().pending).toMatchObject([{ text: "Hello", status: "sending" }]);
    await until(() => expect(store.state.getState().pending[0]?.status).toBe("sent"));
    expect(hand.wake).toHaveBeenCalled();
    hand.tell(new Story().created().posted("Hello", keys[0]).events);
    expect(store.state.getState().pending).toEqual([]);
    expect(store.state.getState().view.waiting).toMatchObject([{ text: "Hello" }]);
  });

  it("is sent again with the same key when the network fails", async () => {
    const keys: string[] = [];
    let failures = 2;
    const message = async (_id: string, _body: unknown, call: { key: string }) => {
      keys.push(call.key);
      if (failures-- > 0) throw networkError();
      return { message_id: "msg_1", queued: false };
    };
    const store = createSessionStore(SESSION, byHand().feed, {
      api: only({ sessions: { message } }),
      waits: [1, 1, 1],
    });
    store.actions.post({ text: "Hello" });
    await until(() => expect(store.state.getState().pending[0]?.status).toBe("sent"));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it("that is refused stays, says why, and can be sent again or taken back", async () => {
    const refused = new ApiError({ code: "invalid", status: 422, message: "Too long." });
    const message = vi.fn().mockRejectedValueOnce(refused).mockResolvedValue({});
    const store = createSessionStore(SESSION, byHand().feed, {
      api: only({ sessions: { message } }),
    });
    store.actions.post({ text: "Hello" });
    await until(() => expect(store.state.getState().pending[0]?.status).toBe("failed"));
    const failed = store.state.getState().pending[0];
    expect(failed?.error?.message).toBe("Too long.");
    store.actions.retry(failed?.key ?? "");
    await until(() => expect(store.state.getState().pending[0]?.status).toBe("sent"));
    expect(message.mock.calls[0]?.[2].key).toBe(message.mock.calls[1]?.[2].key);
    expect(store.actions.discard(failed?.key ?? "")?.text).toBe("Hello");
    expect(store.state.getState().pending).toEqual([]);
  });
});

describe("a plan", () => {
  it("is approved by the hash that is open, with the edits", async () => {
    const hand = byHand();
    const plan = vi.fn().mockResolvedValue({});
    const store = createSessionStore(SESSION, hand.feed, { api: only({ sessions: { plan } }) });
    expect(await store.actions.approve()).toBe(false);
    hand.tell(new Story().created().planned().events);
    const edited = { ...PLAN, title: "Borealis" };
    expect(await store.actions.approve(edited)).toBe(true);
    expect(plan.mock.calls[0]?.[1]).toEqual({ decision: "approve", hash: "hash-1", plan: edited });
  });

  it("that is out of date says so beside the plan, and the error can be put away", async () => {
    const hand = byHand();
    const conflict = new ApiError({ code: "conflict", status: 409, message: "Look again." });
    const plan = vi.fn().mockRejectedValue(conflict);
    const store = createSessionStore(SESSION, hand.feed, { api: only({ sessions: { plan } }) });
    hand.tell(new Story().created().planned().events);
    expect(await store.actions.reject("No")).toBe(false);
    expect(store.state.getState().errors.plan?.message).toBe("Look again.");
    expect(store.state.getState().busy.plan).toBe(false);
    store.actions.dismiss("plan");
    expect(store.state.getState().errors.plan).toBeUndefined();
  });
});

describe("the log", () => {
  it("is read to its end, and again while a turn runs", async () => {
    const story = new Story().created().asked("Hi").says(1, "Wor");
    const read = vi.fn(async (_: string, after: number) => ({
      items: story.events.slice(after, after + 3),
      last_seq: story.events.length,
    }));
    const store = createSessionStore(SESSION, logFeed({ read, everyMs: 1 }));
    await until(() => expect(store.state.getState().view.seq).toBe(5));
    story.tell({ type: "turn_finished", outcome: { type: "answered" } });
    await until(() => expect(store.state.getState().view.turn).toBeNull());
    const { length } = read.mock.calls;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(read.mock.calls.length).toBeLessThanOrEqual(length + 1);
    store.close();
  });

  it("fills a gap that a stream left", async () => {
    const hand = byHand();
    const { events } = new Story().created().planned();
    const log = vi.fn(async (_: string, after: number) => ({
      items: events.slice(after),
      last_seq: events.length,
    }));
    const store = createSessionStore(SESSION, hand.feed, { api: only({ sessions: { log } }) });
    hand.tell(events.slice(0, 2));
    hand.tell(events.slice(4, 5));
    await until(() => expect(store.state.getState().view.seq).toBe(events.length));
  });
});
