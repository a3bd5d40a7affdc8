import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "../api/client";
import type { Project } from "../api/types";
import { addNodes, makeNode, move, remove, setData } from "../graph/commands";
import { HISTORY_LIMIT } from "../graph/history";
import { createFakeServer, type FakeServer, seed } from "../test/fake";
import { type Autosave, createAutosave, type Draft, type SaveApi } from "./autosave";
import { createDocumentStore, type DocumentStore } from "./document";

const saveApi: SaveApi = {
  get: (id) => api.projects.get(id),
  put: (id, revision, content, keepalive) => api.projects.put(id, revision, content, { keepalive }),
};

let server: FakeServer;
const open: Autosave[] = [];

beforeEach(() => {
  server = createFakeServer();
  vi.stubGlobal("fetch", server.fetch);
  vi.useFakeTimers();
});

afterEach(() => {
  for (const it of open.splice(0)) it.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

interface Tab {
  store: DocumentStore;
  autosave: Autosave;
  draft: { current: Draft | null };
}

/** A browser tab on a project. */
function tab(project: Project, draft: Tab["draft"] = { current: null }): Tab {
  const store = createDocumentStore(project);
  const autosave = createAutosave({
    store,
    project,
    api: saveApi,
    drafts: {
      read: () => draft.current,
      write: (next) => {
        draft.current = structuredClone(next);
      },
    },
  });
  open.push(autosave);
  return { store, autosave, draft };
}

const withText = () =>
  seed(server, {
    document: {
      schema: 1,
      nodes: [{ id: "a", type: "text", x: 0, y: 0, data: { text: "one" } }],
      edges: [],
      viewport: { x: 0, y: 0, zoom: 1 },
    },
  });

const write = (it: Tab, text: string) =>
  it.store.perform(setData("a", { text }), { label: "edit", key: "text:a" });

const saved = (project: Project) => {
  const found = server.projects.get(project.id);
  if (!found) throw new Error("the project is gone");
  return found;
};

const textOf = (project: Pick<Project, "document">) => project.document.nodes[0]?.data.text;
const puts = () => server.calls.filter((it) => it.startsWith("PUT")).length;
const settle = () => vi.advanceTimersByTimeAsync(5_000);

describe("autosave", () => {
  it("sends many quick changes as one write", async () => {
    const project = withText();
    const it_ = tab(project);
    for (const text of ["t", "tw", "two"]) {
      write(it_, text);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(it_.autosave.state.getState().status).toBe("dirty");
    await settle();
    expect(textOf(saved(project))).toBe("two");
    expect(puts()).toBe(1);
    expect(it_.autosave.state.getState().status).toBe("saved");
  });

  it("sends what was written while a write was under way", async () => {
    const project = withText();
    const it_ = tab(project);
    write(it_, "two");
    await vi.advanceTimersByTimeAsync(600);
    write(it_, "three");
    await settle();
    expect(textOf(saved(project))).toBe("three");
  });

  it("does not write because the view moved, but takes the view along", async () => {
    const project = withText();
    const it_ = tab(project);
    it_.store.look({ x: 10, y: 20, zoom: 0.5 });
    await settle();
    expect(puts()).toBe(0);
    write(it_, "two");
    await settle();
    expect(saved(project).document.viewport).toEqual({ x: 10, y: 20, zoom: 0.5 });
  });

  it("puts two tabs' changes to different nodes together without a question", async () => {
    const project = withText();
    const one = tab(project);
    const two = tab(structuredClone(project));
    one.store.perform(addNodes([makeNode("note", { x: 5, y: 5 })]), { label: "add" });
    write(two, "two");
    await settle();
    await one.autosave.refresh();
    await two.autosave.refresh();
    await settle();
    for (const document of [saved(project).document, one.store.getState().document]) {
      expect(document.nodes).toHaveLength(2);
      expect(document.nodes.find((it) => it.id === "a")?.data.text).toBe("two");
    }
    expect(two.autosave.state.getState().status).toBe("saved");
  });

  it.each([
    ["mine", "two"],
    ["theirs", "one again"],
  ] as const)(
    "asks when both wrote in the same field; %s stays when chosen",
    async (side, text) => {
      const project = withText();
      const one = tab(project);
      const two = tab(structuredClone(project));
      write(one, "one again");
      await settle();
      write(two, "two");
      two.store.perform(move([["a", { x: 42, y: 0 }]]), { label: "move" });
      await settle();
      expect(two.autosave.state.getState()).toMatchObject({ status: "conflict" });
      expect(textOf(saved(project))).toBe("one again");
      expect(two.store.getState().document.nodes[0]?.data.text).toBe("two");

      await two.autosave.resolve(side);
      await settle();
      expect(textOf(saved(project))).toBe(text);
      expect(saved(project).document.nodes[0]?.x).toBe(42);
      expect(two.autosave.state.getState().status).toBe("saved");
    },
  );

  it("keeps trying while offline, says so, and loses nothing", async () => {
    const project = withText();
    const it_ = tab(project);
    server.offline = true;
    write(it_, "two");
    await settle();
    expect(it_.autosave.state.getState().status).toBe("offline");
    write(it_, "three");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(it_.draft.current?.mine.document.nodes[0]?.data.text).toBe("three");
    server.offline = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(textOf(saved(project))).toBe("three");
    expect(it_.autosave.state.getState().status).toBe("saved");
    expect(it_.draft.current).toBeNull();
  });

  it("brings unsent changes back after a reload, on top of what others wrote", async () => {
    const project = withText();
    const before = tab(project);
    server.offline = true;
    write(before, "two");
    await before.autosave.flush(true);
    before.autosave.stop();
    server.offline = false;
    const other = saved(project);
    other.document.nodes.push({ id: "b", type: "note", x: 0, y: 0, data: {} });
    other.revision += 1;

    const after = tab(structuredClone(other), before.draft);
    expect(after.store.getState().document.nodes.map((it) => it.data.text)).toEqual([
      "two",
      undefined,
    ]);
    await settle();
    expect(textOf(saved(project))).toBe("two");
    expect(saved(project).document.nodes).toHaveLength(2);
  });

  it("stops and says so when the project was deleted elsewhere", async () => {
    const project = withText();
    const it_ = tab(project);
    server.projects.delete(project.id);
    write(it_, "two");
    await settle();
    expect(it_.autosave.state.getState().status).toBe("gone");
    const before = server.calls.length;
    write(it_, "three");
    await settle();
    expect(server.calls).toHaveLength(before);
  });

  it("does not repeat what the server refused, and tries again when it changes", async () => {
    const project = withText();
    const it_ = tab(project);
    it_.store.perform(move([["a", { x: Number.NaN, y: 0 }]]), { label: "move" });
    await settle();
    expect(it_.autosave.state.getState().status).toBe("failed");
    expect(puts()).toBe(0);
    it_.store.undo();
    write(it_, "two");
    await settle();
    expect(textOf(saved(project))).toBe("two");
    expect(it_.autosave.state.getState().status).toBe("saved");
  });

  it("keeps undo working across a merge", async () => {
    const project = withText();
    const it_ = tab(project);
    write(it_, "two");
    await settle();
    const other = saved(project);
    other.document.nodes.push({ id: "b", type: "note", x: 0, y: 0, data: {} });
    other.revision += 1;
    await it_.autosave.refresh();
    expect(it_.store.getState().document.nodes).toHaveLength(2);
    expect(it_.store.undo()).toBe("edit");
    await settle();
    expect(textOf(saved(project))).toBe("one");
    expect(saved(project).document.nodes).toHaveLength(2);
  });
});

describe("the document store", () => {
  const film = { id: "f", type: "animation" as const, x: 0, y: 0, data: { session_id: "ses_1" } };
  const project = () =>
    seed(server, {
      document: { schema: 1, nodes: [film], edges: [], viewport: { x: 0, y: 0, zoom: 1 } },
    });

  it("drops a session only when neither undo nor redo can bring it back", () => {
    const dropped: string[] = [];
    let now = 0;
    const store = createDocumentStore(project(), {
      onSessionDropped: (id) => dropped.push(id),
      now: () => (now += 10_000),
    });
    store.perform(remove(["f"]), { label: "delete" });
    store.undo();
    expect(store.getState().document.nodes).toEqual([film]);
    store.redo();
    expect(dropped).toEqual([]);
    for (let n = 0; n < HISTORY_LIMIT; n += 1)
      store.perform(addNodes([makeNode("note", { x: n, y: n })]), { label: "add" });
    expect(dropped).toEqual(["ses_1"]);
  });

  it("does not drop sessions of nodes that another tab removed", () => {
    const dropped: string[] = [];
    const it_ = project();
    const store = createDocumentStore(it_, { onSessionDropped: (id) => dropped.push(id) });
    store.replace({ name: "x", document: { ...it_.document, nodes: [] } });
    expect(dropped).toEqual([]);
  });

  it("does not undo what no person did", () => {
    const store = createDocumentStore(seed(server));
    const node = makeNode("animation", { x: 0, y: 0 });
    store.perform(addNodes([node]), { label: "add" });
    store.perform(setData(node.id, { session_id: "ses_9" }), { label: "begin", undoable: false });
    expect(store.undo()).toBe("add");
    expect(store.redo()).toBe("add");
    expect(store.getState().document.nodes[0]?.data).toEqual({ session_id: "ses_9" });
  });
});
