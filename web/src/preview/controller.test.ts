import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/errors";
import type { SessionEvent } from "../api/types";
import type { Feed } from "../session/feed";
import { createSessionStore, type SessionOptions } from "../session/store";
import { SESSION, Story } from "../session/story";
import { createPreview } from "./controller";

const TICKET = { url: "http://abc.preview.localhost:3000/", handle: "abc", version_id: "ver_1" };
const INFO = {
  engine: "remotion",
  title: "",
  width: 16,
  height: 9,
  fps: 30,
  durationInFrames: 90,
} as const;
const until = (check: () => void) => vi.waitFor(check, { interval: 2 });

function setUp(story: Story, ask = vi.fn(async (..._: unknown[]) => TICKET), visitMs = 60_000) {
  let take: (events: readonly SessionEvent[]) => void = () => {};
  const feed: Feed = (_, to) => {
    take = to;
    return { wake() {}, close() {} };
  };
  const api = { sessions: { preview: ask }, versions: {}, renders: {} };
  const session = createSessionStore(SESSION, feed, {
    api: api as unknown as NonNullable<SessionOptions["api"]>,
  });
  const preview = createPreview(session, {
    helloMs: 3,
    silenceMs: 40,
    retryMs: [2, 2],
    visitMs,
  });
  const posted: unknown[] = [];
  take(story.events);
  const goOn = (write: (story: Story) => void) => {
    const from = story.events.length;
    write(story);
    take(story.events.slice(from));
  };
  return {
    ask,
    posted,
    preview,
    goOn,
    tell: (...bodies: Parameters<Story["tell"]>) => goOn((it_) => it_.tell(...bodies)),
    status: () => preview.state.getState().status,
    attach: () => preview.attach({ post: (message) => posted.push(message) }),
  };
}

const built = () => new Story().created().built();
const lost = (status: "lost" | "ready", id: string | null) =>
  ({ type: "sandbox_changed", status, sandbox_id: id, provider: "local", seconds: null }) as const;

describe("a preview", () => {
  it("is not asked for while there is nothing to see, and is as soon as there is", async () => {
    const it_ = setUp(new Story().created().planned());
    it_.preview.want(true);
    expect(it_.ask).not.toHaveBeenCalled();
    const more = new Story()
      .created()
      .built()
      .events.slice(it_.preview ? 9 : 0);
    it_.tell(...more);
    await until(() => expect(it_.status()).toBe("loading"));
    expect(it_.ask).toHaveBeenCalledTimes(1);
  });

  it("is loaded while the plan is read, and shown without another load once there is something", async () => {
    const it_ = setUp(new Story().created().planned().sandbox("ready"));
    it_.preview.want(true);
    await until(() => expect(it_.preview.state.getState().warm).toBe(true));
    it_.attach();
    // What stands in for the animation is not it.
    it_.preview.receive({ type: "ready", info: INFO });
    expect(it_.status()).toBe("none");
    expect(it_.preview.player.state.getState().info).toBeNull();
    it_.goOn((story) => story.approved());
    expect(it_.preview.state.getState().warm).toBe(true);
    it_.goOn((story) => story.ran("call_1", "write_file", "Writing", "Wrote"));
    it_.goOn((story) => story.wrote("src/design.ts"));
    expect(it_.status()).toBe("loading");
    expect(it_.posted).toContainEqual({ koda: 1, type: "hello" });
    it_.preview.receive({ type: "ready", info: INFO });
    expect(it_.status()).toBe("ready");
    expect(it_.preview.state.getState()).toMatchObject({ warm: false, load: 1 });
    expect(it_.ask).toHaveBeenCalledTimes(1);
  });

  it("that was loaded for a plan goes with it, and a failure to load it is nobody's concern", async () => {
    const it_ = setUp(new Story().created().planned().sandbox("ready"));
    it_.preview.want(true);
    await until(() => expect(it_.preview.state.getState().warm).toBe(true));
    it_.tell({ type: "plan_rejected", hash: "hash-1", reason: null });
    expect(it_.preview.state.getState().warm).toBe(false);

    const refused = vi.fn(async (): Promise<typeof TICKET> => {
      throw new ApiError({ code: "conflict", status: 409, message: "Nothing yet." });
    });
    const other = setUp(new Story().created().planned().sandbox("ready"), refused);
    other.preview.want(true);
    await until(() => expect(refused).toHaveBeenCalledTimes(1));
    expect(other.status()).toBe("none");
    expect(other.preview.state.getState().error).toBeNull();
    other.goOn((story) => story.approved());
    other.goOn((story) => story.said(2, "I will set the design first."));
    expect(refused).toHaveBeenCalledTimes(1);
  });

  it("greets the page until it answers", async () => {
    const it_ = setUp(built());
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("loading"));
    it_.attach();
    await until(() => expect(it_.posted.length).toBeGreaterThan(1));
    expect(it_.posted[0]).toEqual({ koda: 1, type: "hello" });
    it_.preview.receive({ type: "ready", info: INFO });
    expect(it_.status()).toBe("ready");
  });

  it("that does not compile is there all the same, with its error", async () => {
    const it_ = setUp(built());
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("loading"));
    const problem = { message: "Unexpected token", file: "src/a.tsx", line: 3, column: 1 };
    it_.preview.receive({ type: "error", problem });
    expect(it_.status()).toBe("ready");
    expect(it_.preview.player.state.getState().problem).toEqual(problem);
  });

  it("is asked for again when its sandbox is lost", async () => {
    const it_ = setUp(built());
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("loading"));
    it_.preview.receive({ type: "ready", info: INFO });
    it_.tell(lost("lost", null));
    expect(it_.status()).toBe("reconnecting");
    await until(() => expect(it_.status()).toBe("loading"));
    expect(it_.ask).toHaveBeenCalledTimes(2);
    expect(it_.preview.state.getState().load).toBe(2);
  });

  it("is asked for now and then while somebody looks, and loaded anew where it moved", async () => {
    const it_ = setUp(built(), undefined, 10);
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("loading"));
    it_.preview.receive({ type: "ready", info: INFO });
    await until(() => expect(it_.ask.mock.calls.length).toBeGreaterThan(2));
    const { load } = it_.preview.state.getState();
    expect(load).toBe(1);
    it_.ask.mockResolvedValue({ ...TICKET, url: "https://5173-other.e2b.app/" });
    await until(() => expect(it_.preview.state.getState().load).toBe(2));
    it_.preview.want(false);
    const asked = it_.ask.mock.calls.length;
    await new Promise((done) => setTimeout(done, 40));
    expect(it_.ask.mock.calls.length).toBe(asked);
  });

  it("is left alone by visits while the agent works", async () => {
    const it_ = setUp(built(), undefined, 10);
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("loading"));
    it_.preview.receive({ type: "ready", info: INFO });
    it_.tell({ type: "turn_started", input: { type: "settings" } });
    const asked = it_.ask.mock.calls.length;
    await new Promise((done) => setTimeout(done, 40));
    expect(it_.ask.mock.calls.length).toBe(asked);
    it_.preview.close();
  });

  it("is loaded anew when another sandbox takes over", async () => {
    const it_ = setUp(built());
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("loading"));
    it_.preview.receive({ type: "ready", info: INFO });
    it_.tell(lost("ready", "sbx_2"));
    expect(it_.preview.state.getState().load).toBe(2);
  });

  it("whose page loads itself anew, or is drawn elsewhere, goes on where it was", async () => {
    const it_ = setUp(built());
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("loading"));
    it_.attach();
    it_.preview.receive({ type: "ready", info: INFO });
    it_.preview.player.seek(40);
    it_.preview.player.mark("in", 30);
    it_.attach();
    expect(it_.status()).toBe("loading");
    it_.posted.length = 0;
    it_.preview.receive({ type: "ready", info: INFO });
    expect(it_.status()).toBe("ready");
    expect(it_.posted).toEqual([{ koda: 1, n: 2, type: "seek", frame: 40 }]);
    expect(it_.preview.player.state.getState().points.in).toBe(30);
    expect(it_.ask).toHaveBeenCalledTimes(1);
    it_.preview.close();
  });

  it("that stays silent is loaded again a few times, and then says so", async () => {
    const it_ = setUp(built());
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("failed"));
    expect(it_.ask).toHaveBeenCalledTimes(3);
    const calls = it_.ask.mock.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(it_.ask).toHaveBeenCalledTimes(calls);
    it_.preview.retry();
    await until(() => expect(it_.status()).toBe("loading"));
  });

  it("that is refused says why, and does not ask again by itself", async () => {
    const no = new ApiError({ code: "conflict", status: 409, message: "Nothing to see yet." });
    const it_ = setUp(built(), vi.fn().mockRejectedValue(no));
    it_.preview.want(true);
    await until(() => expect(it_.status()).toBe("failed"));
    expect(it_.preview.state.getState().error?.message).toBe("Nothing to see yet.");
    expect(it_.ask).toHaveBeenCalledTimes(1);
  });

  it("goes back to the newest files when the agent starts to work", async () => {
    const story = built().version(2, "Two");
    const it_ = setUp(story);
    it_.preview.want(true);
    it_.preview.show("ver_1");
    await until(() => expect(it_.ask.mock.lastCall?.[1]).toBe("ver_1"));
    it_.tell({ type: "turn_started", input: { type: "settings" } });
    expect(it_.preview.state.getState().version).toBeNull();
  });

  it("that nobody looks at asks for nothing", async () => {
    const it_ = setUp(built());
    it_.preview.want(true);
    it_.preview.want(false);
    it_.tell(lost("lost", null));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(it_.status()).toBe("none");
    expect(it_.ask).toHaveBeenCalledTimes(1);
  });
});
