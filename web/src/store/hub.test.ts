import { afterEach, describe, expect, it, vi } from "vitest";
import { openStream } from "../api/sse";
import type { SessionEvent } from "../api/types";
import { createSessionHub, type SessionHub } from "./hub";

interface Connected {
  lastId: string | null;
  send(text: string): void;
  end(): void;
  fail(): void;
}

/** A server of event streams whose connections a test can hold, feed and cut. */
function streams() {
  const connections: Connected[] = [];
  const refuse: Response[] = [];
  vi.stubGlobal("fetch", async (_url: string, init: RequestInit) => {
    const refusal = refuse.shift();
    if (refusal) return refusal;
    const encoder = new TextEncoder();
    let control: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        control = controller;
      },
    });
    init.signal?.addEventListener("abort", () => {
      try {
        control?.error(new DOMException("aborted", "AbortError"));
      } catch {
        // It ended before.
      }
    });
    connections.push({
      lastId: new Headers(init.headers).get("last-event-id"),
      send: (text) => control?.enqueue(encoder.encode(text)),
      end: () => control?.close(),
      fail: () => control?.error(new TypeError("network error")),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  return {
    connections,
    refuse,
    connected: (count: number) =>
      vi.waitFor(() => {
        const it = connections[count - 1];
        if (!it) throw new Error(`connection ${count} has not come`);
        return it;
      }),
  };
}

const event = (session: string, seq: number, text = `${seq}`): SessionEvent => ({
  seq,
  at: "2026-11-23T10:00:00Z",
  session_id: session,
  turn_id: null,
  type: "text_delta",
  step: 1,
  text,
});

const wire = (it: SessionEvent, id: string) =>
  `id: ${id}\nevent: ${it.type}\ndata: ${JSON.stringify(it)}\n\n`;

const FAST = { firstRetryMs: 1, lastRetryMs: 5, silenceMs: 5_000, idleMs: 60_000 };
const open: SessionHub[] = [];

function hub(options: Parameters<typeof createSessionHub>[1] = {}): SessionHub {
  const it = createSessionHub("prj_1", {
    open: (stream) => openStream({ ...stream, timing: FAST }),
    ...options,
  });
  open.push(it);
  return it;
}

function collect(it: SessionHub, session: string): SessionEvent[] {
  const seen: SessionEvent[] = [];
  it.subscribe(session, (events) => seen.push(...events));
  return seen;
}

afterEach(() => {
  for (const it of open.splice(0)) it.close();
  vi.unstubAllGlobals();
});

describe("the hub", () => {
  it("hands each session its own events, and late subscribers everything so far", async () => {
    const server = streams();
    const it_ = hub();
    const early = collect(it_, "ses_a");
    const connection = await server.connected(1);
    connection.send(
      `event: session\ndata: {"id":"ses_a","node_id":"n"}\n\n${wire(event("ses_a", 1), "c1")}`,
    );
    connection.send(wire(event("ses_b", 1), "c2") + wire(event("ses_a", 2), "c3"));
    await vi.waitFor(() => expect(early.map((e) => e.seq)).toEqual([1, 2]));
    const late = collect(it_, "ses_a");
    expect(late.map((e) => e.seq)).toEqual([1, 2]);
    expect(collect(it_, "ses_b").map((e) => e.seq)).toEqual([1]);
  });

  it("comes back with the last id after a cut, with nothing missing and nothing twice", async () => {
    const server = streams();
    const seen = collect(hub(), "ses_a");
    const first = await server.connected(1);
    first.send(wire(event("ses_a", 1), "c1") + wire(event("ses_a", 2), "c2"));
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    first.fail();
    const second = await server.connected(2);
    expect(first.lastId).toBeNull();
    expect(second.lastId).toBe("c2");
    // A server that repeats itself changes nothing.
    second.send(wire(event("ses_a", 2), "c2") + wire(event("ses_a", 3), "c3"));
    second.send(wire(event("ses_a", 3), "c3") + wire(event("ses_a", 4), "c4"));
    await vi.waitFor(() => expect(seen).toHaveLength(4));
    expect(seen.map((e) => e.seq)).toEqual([1, 2, 3, 4]);
  });

  it("does not lose an event that was cut in the middle", async () => {
    const server = streams();
    const seen = collect(hub(), "ses_a");
    const first = await server.connected(1);
    const whole = wire(event("ses_a", 2, "Größe"), "c2");
    first.send(wire(event("ses_a", 1), "c1") + whole.slice(0, 40));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    first.end();
    const second = await server.connected(2);
    expect(second.lastId).toBe("c1");
    second.send(whole);
    await vi.waitFor(() => expect(seen.map((e) => e.seq)).toEqual([1, 2]));
  });

  it("fetches a gap from the log and hands everything over in order", async () => {
    const server = streams();
    const log = vi.fn(async () => [event("ses_a", 2), event("ses_a", 3)]);
    const seen = collect(hub({ log }), "ses_a");
    const connection = await server.connected(1);
    connection.send(wire(event("ses_a", 1), "c1") + wire(event("ses_a", 4), "c4"));
    await vi.waitFor(() => expect(seen.map((e) => e.seq)).toEqual([1, 2, 3, 4]));
    expect(log).toHaveBeenCalledTimes(1);
  });

  it("says while it retries, and that it works again", async () => {
    const server = streams();
    server.refuse.push(
      Response.json(
        { error: { code: "unavailable", message: "Storage is away.", request_id: "r" } },
        { status: 503 },
      ),
    );
    const it_ = hub();
    const states: string[] = [];
    it_.connection.subscribe(({ connection }) => states.push(connection.status));
    await server.connected(1);
    await vi.waitFor(() => expect(states).toEqual(["retrying", "connecting", "live"]));
  });

  it("gives up on a project that does not exist", async () => {
    const server = streams();
    server.refuse.push(
      Response.json(
        { error: { code: "not_found", message: "No such project.", request_id: "r" } },
        { status: 404 },
      ),
    );
    const it_ = hub();
    await vi.waitFor(() => expect(it_.connection.getState().connection.status).toBe("failed"));
    it_.wake();
    expect(server.connections).toHaveLength(0);
  });

  it("sleeps when the server closes an idle stream, and wakes when something happens", async () => {
    const server = streams();
    const it_ = hub();
    const first = await server.connected(1);
    first.send(`${wire(event("ses_a", 1), "c1")}event: idle\ndata: {}\n\n`);
    first.end();
    await vi.waitFor(() => expect(it_.connection.getState().connection.status).toBe("idle"));
    it_.wake();
    expect((await server.connected(2)).lastId).toBe("c1");
  });

  it("starts over where the server does not understand the cursor any more", async () => {
    const server = streams();
    const seen = collect(hub(), "ses_a");
    const first = await server.connected(1);
    first.send(wire(event("ses_a", 1), "old"));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    server.refuse.push(
      Response.json(
        { error: { code: "bad_request", message: "Not a place.", request_id: "r" } },
        { status: 400 },
      ),
    );
    first.end();
    const second = await server.connected(2);
    expect(second.lastId).toBeNull();
    second.send(wire(event("ses_a", 1), "new1") + wire(event("ses_a", 2), "new2"));
    await vi.waitFor(() => expect(seen.map((e) => e.seq)).toEqual([1, 2]));
  });
});
