import { describe, expect, it } from "vitest";
import {
  addNodes,
  bringToFront,
  connect,
  copy,
  duplicate,
  makeNode,
  move,
  paste,
  remove,
  resize,
  sendToBack,
  setData,
} from "./commands";
import { boxOf, type Document, emptyDocument, type Node } from "./document";
import { emptyHistory, HISTORY_LIMIT, reachableSessions, record, redo, undo } from "./history";
import { incoming } from "./incoming";
import { freePlace, overlaps, tidy } from "./layout";
import { apply, type Op } from "./ops";
import { canConnect, fittingInput } from "./ports";
import { nearest, readingOrder } from "./selection";
import { exportCanvas, importCanvas, readFragment, writeFragment } from "./transfer";
import { parseDocument, problem } from "./validate";

const node = (id: string, type: Node["type"], x = 0, y = 0, data: Node["data"] = {}): Node => ({
  id,
  type,
  x,
  y,
  data,
});

function stage(): Document {
  const nodes = [
    node("words", "text", 0, 0, { text: "A calm sea" }),
    node("logo", "media", 0, 300, { asset_id: "ast_1" }),
    node("film", "animation", 500, 0, { session_id: "ses_1" }),
    node("remark", "note", 1200, 0, { text: "hm" }),
  ];
  const document = { ...emptyDocument(), nodes };
  const link = (source: string, source_port: string, target_port: string) => ({
    source,
    source_port,
    target: "film",
    target_port,
  });
  const one = apply(document, connect(document, link("words", "text", "prompt"))).document;
  return apply(one, connect(one, link("logo", "media", "media"))).document;
}

/** Pairs of a name and operations, one for everything a person can do. */
function everything(document: Document): [string, Op[]][] {
  const edge = document.edges[0]?.id ?? "";
  return [
    ["add", addNodes([makeNode("text", { x: 10, y: 10 }), makeNode("note", { x: 1, y: 1 })])],
    ["remove a node with connections", remove(["film"])],
    ["remove several nodes", remove(["film", "words"])],
    ["remove a connection", remove([], [edge])],
    ["remove a node and its connection", remove(["words"], [edge])],
    [
      "move",
      move([
        ["words", { x: 77, y: 78 }],
        ["film", { x: -5, y: 3 }],
      ]),
    ],
    ["resize", resize("film", { x: 500, y: 0, width: 600, height: 700 })],
    ["edit", setData("words", { text: "A storm", extra: 1 })],
    ["take a key away", setData("words", { text: undefined })],
    ["bring to front", bringToFront(document, new Set(["words", "logo"]))],
    ["send to back", sendToBack(document, new Set(["film", "remark"]))],
    ["duplicate", duplicate(document, new Set(["film", "words"]), { x: 20, y: 20 }).ops],
    ["paste", paste(copy(document, new Set(["film", "logo"])), { by: { x: 9, y: 9 } }).ops],
    ["tidy", tidy(document)],
  ];
}

describe("operations", () => {
  const document = stage();

  it.each(everything(document))("%s is undone exactly, and redone exactly", (_, ops) => {
    const done = apply(document, ops);
    expect(done.document).not.toEqual(document);
    const undone = apply(done.document, done.inverse);
    expect(undone.document).toEqual(document);
    expect(apply(undone.document, undone.inverse).document).toEqual(done.document);
  });

  it("leave the document alone where they do not fit any more", () => {
    const ops: Op[] = [
      ...remove(["gone"], ["gone"]),
      ...setData("gone", { text: "x" }),
      ...move([["gone", { x: 1, y: 1 }]]),
      {
        op: "add_edge",
        edge: {
          id: "e",
          source: "words",
          source_port: "text",
          target: "gone",
          target_port: "prompt",
        },
      },
    ];
    const done = apply(document, ops);
    expect(done.document).toBe(document);
    expect(done.inverse).toEqual([]);
  });

  it("keep the identity of nodes that they do not touch", () => {
    const { document: next } = apply(document, move([["words", { x: 1, y: 2 }]]));
    expect(next.nodes[1]).toBe(document.nodes[1]);
    expect(next.edges).toBe(document.edges);
  });
});

describe("copies", () => {
  it("have fresh ids, keep connections among themselves, and begin their own conversation", () => {
    const document = stage();
    const { ops, nodeIds } = paste(copy(document, new Set(["film", "words"])), {
      around: { x: 0, y: 0 },
    });
    const next = apply(document, ops).document;
    expect(problem(next)).toBeNull();
    expect(nodeIds).toHaveLength(2);
    const film = next.nodes.find((it) => nodeIds.includes(it.id) && it.type === "animation");
    expect(film?.data).toEqual({ copied_from: "ses_1" });
    expect(next.edges).toHaveLength(3);
    expect(reachableSessions(next, emptyHistory())).toEqual(new Set(["ses_1"]));
  });

  it("made by duplicating keep what flows in from outside", () => {
    const document = stage();
    const { ops, nodeIds } = duplicate(document, new Set(["film"]), { x: 30, y: 30 });
    const next = apply(document, ops).document;
    expect(incoming(next, nodeIds[0] ?? "")).toEqual(incoming(document, "film"));
  });
});

describe("history", () => {
  function perform(
    document: Document,
    history = emptyHistory(),
    ops: Op[] = [],
    at = 0,
    key?: string,
  ) {
    const done = apply(document, ops);
    return {
      document: done.document,
      history: record(history, { label: "do", inverse: done.inverse, at, key: key ?? null }),
    };
  }

  it("walks back and forth over many steps and ends where it began", () => {
    const start = stage();
    let state = { document: start, history: emptyHistory() };
    for (const [n, [, ops]] of everything(start).entries())
      state = perform(state.document, state.history, ops, n * 10_000);
    const end = state.document;
    let steps = 0;
    for (let back = undo(state.document, state.history); back; steps += 1) {
      state = back;
      back = undo(state.document, state.history);
    }
    expect(state.document).toEqual(start);
    for (let forth = redo(state.document, state.history); forth; ) {
      state = forth;
      forth = redo(state.document, state.history);
    }
    expect(state.document).toEqual(end);
    expect(steps).toBe(everything(start).length);
  });

  it("makes quick typing one step, and slow typing two", () => {
    const start = stage();
    let state = perform(start, undefined, setData("words", { text: "a" }), 0, "text:words");
    state = perform(
      state.document,
      state.history,
      setData("words", { text: "ab" }),
      500,
      "text:words",
    );
    expect(state.history.past).toHaveLength(1);
    state = perform(
      state.document,
      state.history,
      setData("words", { text: "abc" }),
      9_000,
      "text:words",
    );
    expect(state.history.past).toHaveLength(2);
    const back = undo(state.document, state.history);
    expect(back?.document.nodes[0]?.data.text).toBe("ab");
    expect(back && undo(back.document, back.history)?.document).toEqual(start);
  });

  it("survives a merge in between: what is left of a step is undone, the rest stays", () => {
    const start = stage();
    const moved = perform(
      start,
      undefined,
      move([
        ["words", { x: 9, y: 9 }],
        ["film", { x: 8, y: 8 }],
      ]),
    );
    // Another tab removed the film and added a note.
    const merged = apply(moved.document, [
      ...remove(["film"]),
      ...addNodes([node("new", "note", 5, 5)]),
    ]).document;
    const back = undo(merged, moved.history);
    expect(back?.document.nodes.find((it) => it.id === "words")).toMatchObject({ x: 0, y: 0 });
    expect(back?.document.nodes.map((it) => it.id)).toContain("new");
    expect(back?.document.nodes.map((it) => it.id)).not.toContain("film");
  });

  it("keeps a deleted animation's session until the step is forgotten", () => {
    const start = stage();
    let state = perform(start, undefined, remove(["film"]));
    expect(reachableSessions(state.document, state.history)).toEqual(new Set(["ses_1"]));
    for (let n = 1; n <= HISTORY_LIMIT; n += 1)
      state = perform(state.document, state.history, move([["words", { x: n, y: n }]]), n * 10_000);
    expect(reachableSessions(state.document, state.history)).toEqual(new Set());
  });
});

describe("connections", () => {
  const document = stage();
  const link = (source: string, source_port: string, target: string, target_port: string) => ({
    source,
    source_port,
    target,
    target_port,
  });

  it.each([
    ["text into media", link("words", "text", "film", "media"), "Use the Prompt input"],
    ["media into a prompt", link("logo", "media", "film", "prompt"), "Use the Media input"],
    ["a node into itself", link("film", "video", "film", "media"), "itself"],
    ["the same twice", link("words", "text", "film", "prompt"), "already"],
    ["an output into an output", link("words", "text", "logo", "media"), "output to an input"],
    ["a note into anything", link("remark", "text", "film", "prompt"), "output to an input"],
    ["a node that is gone", link("gone", "text", "film", "prompt"), "gone"],
  ])("refuse %s and say why", (_, it_, words) => {
    const verdict = canConnect(document, it_);
    expect(verdict.ok).toBe(false);
    expect(!verdict.ok && verdict.reason).toContain(words);
    expect(connect(document, it_)).toEqual([]);
  });

  it("take the video of another animation as media, but not in a circle", () => {
    const two = apply(document, addNodes([node("second", "animation")])).document;
    const there = link("film", "video", "second", "media");
    const joined = apply(two, connect(two, there)).document;
    expect(joined.edges).toHaveLength(3);
    const back = canConnect(joined, link("second", "video", "film", "media"));
    expect(!back.ok && back.reason).toContain("loop");
  });

  it("find the input that fits when dropped on a node's body", () => {
    const fresh = apply(document, addNodes([node("next", "animation")])).document;
    expect(fittingInput(fresh, "logo", "media", "next")?.target_port).toBe("media");
    expect(fittingInput(fresh, "words", "text", "next")?.target_port).toBe("prompt");
    expect(fittingInput(fresh, "words", "text", "remark")).toBeNull();
  });
});

describe("incoming", () => {
  it("gives texts in order and assets once, and leaves out what is empty or a video", () => {
    let document = apply(
      stage(),
      addNodes([
        node("more", "text", 0, 0, { text: "  at dusk \n" }),
        node("blank", "text", 0, 0, { text: "   " }),
        node("twin", "media", 0, 0, { asset_id: "ast_1" }),
        node("empty", "media"),
        node("other", "animation", 0, 0, { session_id: "ses_2" }),
      ]),
    ).document;
    for (const [source, port, target] of [
      ["more", "text", "prompt"],
      ["blank", "text", "prompt"],
      ["twin", "media", "media"],
      ["empty", "media", "media"],
      ["other", "video", "media"],
    ] as const) {
      const ops = connect(document, {
        source,
        source_port: port,
        target: "film",
        target_port: target,
      });
      expect(ops).toHaveLength(1);
      document = apply(document, ops).document;
    }
    expect(incoming(document, "film")).toEqual({
      texts: ["A calm sea", "at dusk"],
      assetIds: ["ast_1"],
    });
  });
});

describe("layout", () => {
  it("finds a free place for each of many nodes", () => {
    let document = emptyDocument();
    for (let n = 0; n < 40; n += 1) {
      const kind = (["animation", "text", "media", "note"] as const)[n % 4] ?? "text";
      const at = freePlace(document, kind, { x: 0, y: 0 });
      document = apply(document, addNodes([makeNode(kind, at)])).document;
    }
    const boxes = document.nodes.map(boxOf);
    for (const [n, a] of boxes.entries())
      for (const b of boxes.slice(n + 1)) expect(overlaps(a, b)).toBe(false);
  });

  it("tidies so that nothing overlaps and everything flows to the right", () => {
    const piled = apply(
      stage(),
      move(stage().nodes.map((it) => [it.id, { x: 0, y: 0 }] as const)),
    ).document;
    const tidied = apply(piled, tidy(piled)).document;
    const boxes = new Map(tidied.nodes.map((it) => [it.id, boxOf(it)]));
    const list = [...boxes.values()];
    for (const [n, a] of list.entries())
      for (const b of list.slice(n + 1)) expect(overlaps(a, b)).toBe(false);
    for (const edge of tidied.edges)
      expect(boxes.get(edge.source)?.x).toBeLessThan(boxes.get(edge.target)?.x ?? 0);
  });

  it("goes to the near node in a direction, and reads row by row", () => {
    const document = stage();
    expect(nearest(document, "words", "right")?.id).toBe("film");
    expect(nearest(document, "words", "down")?.id).toBe("logo");
    expect(nearest(document, "words", "left")).toBeNull();
    expect(readingOrder(document.nodes).map((it) => it.id)).toEqual([
      "words",
      "film",
      "remark",
      "logo",
    ]);
  });
});

describe("files and the clipboard", () => {
  it("bring a canvas back without its conversations", () => {
    const document = stage();
    const read = importCanvas(exportCanvas("Launch", document));
    expect(read.ok && read.name).toBe("Launch");
    expect(read.ok && read.document.edges).toEqual(document.edges);
    expect(read.ok && read.document.nodes.find((it) => it.id === "film")?.data).toEqual({});
  });

  it("carry nodes as text between tabs", () => {
    const fragment = copy(stage(), new Set(["words", "film"]));
    expect(readFragment(writeFragment(fragment))).toEqual(fragment);
    expect(readFragment("just words")).toBeNull();
    expect(readFragment('{"kind":"koda-fragment","nodes":[{"id":"x"}],"edges":[]}')).toBeNull();
  });

  it.each([
    ["not JSON", "{"],
    ["something else", '{"hello":1}'],
    ["a newer version", '{"schema":9,"nodes":[],"edges":[]}'],
    ["a node of an unknown kind", '{"nodes":[{"id":"a","type":"robot","x":0,"y":0}],"edges":[]}'],
    ["an id that is not a name", '{"nodes":[{"id":"a b","type":"note","x":0,"y":0}],"edges":[]}'],
  ])("refuse %s with a sentence", (_, text) => {
    const read = importCanvas(text);
    expect(read.ok).toBe(false);
    expect(!read.ok && read.reason).toMatch(/\.$/);
  });
});

describe("the server's rules", () => {
  it("are held by whatever commands make", () => {
    const document = stage();
    for (const [, ops] of everything(document))
      expect(problem(apply(document, ops).document)).toBeNull();
  });

  it.each([
    ["a repeated node id", { nodes: [node("a", "note"), node("a", "note")] }],
    ["a position that is no number", { nodes: [node("a", "note", Number.NaN)] }],
    ["an edge to nowhere", { edges: [{ ...stage().edges[0], id: "e", target: "x" }] }],
    ["text into media", { edges: [{ ...stage().edges[0], id: "e", target_port: "media" }] }],
    ["a zoom of zero", { viewport: { x: 0, y: 0, zoom: 0 } }],
  ])("name %s", (_, change) => {
    expect(problem({ ...stage(), ...(change as Partial<Document>) })).toMatch(/\.$/);
  });

  it("read a document that has more than this version knows", () => {
    const document = stage();
    const parsed = parseDocument({ ...document, future: true });
    expect(parsed).toEqual({ ok: true, document });
  });
});
