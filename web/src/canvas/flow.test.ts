import { describe, expect, it } from "vitest";
import { addNodes, connect, remove, setData } from "../graph/commands";
import { emptyDocument, type Node } from "../graph/document";
import { apply } from "../graph/ops";
import { createDocumentStore } from "../store/document";
import { createFlow } from "./flow";
import { matches } from "./keys";

const node = (id: string, type: Node["type"], x: number): Node => ({
  id,
  type,
  x,
  y: 0,
  data: { text: id },
});

function stage() {
  const nodes = [node("a", "text", 0), node("b", "animation", 400), node("c", "note", 900)];
  const first = apply(emptyDocument(), addNodes(nodes)).document;
  const link = { source: "a", source_port: "text", target: "b", target_port: "prompt" };
  const document = apply(first, connect(first, link)).document;
  const store = createDocumentStore({ id: "prj", name: "Film", document });
  return { store, flow: createFlow(store) };
}

const drag = (flow: ReturnType<typeof createFlow>, id: string, x: number, dragging: boolean) =>
  flow.onNodesChange([{ type: "position", id, position: { x, y: 0 }, dragging }]);

describe("what is drawn", () => {
  it("stays the same object for what did not change", () => {
    const { store, flow } = stage();
    const [a, b, c] = flow.getState().nodes;
    const { edges } = flow.getState();
    store.perform(setData("a", { text: "new" }), { label: "edit" });
    const after = flow.getState();
    expect(after.nodes[0]).not.toBe(a);
    expect(after.nodes[0]?.data).toEqual({ text: "new" });
    expect(after.nodes[1]).toBe(b);
    expect(after.nodes[2]).toBe(c);
    expect(after.edges).toBe(edges);
  });

  it("moves while dragged without touching the document, which then moves in one step", () => {
    const { store, flow } = stage();
    const before = store.getState().document;
    for (const x of [10, 20, 30.4]) drag(flow, "a", x, true);
    expect(store.getState().document).toBe(before);
    drag(flow, "a", 30.4, false);
    flow.commitDrag();
    expect(store.getState().document.nodes[0]?.x).toBe(30);
    expect(store.getState().history.past).toHaveLength(1);
    store.undo();
    expect(flow.getState().nodes[0]?.position.x).toBe(0);
  });

  it("stays under the pointer when its data changes during a drag", () => {
    const { store, flow } = stage();
    drag(flow, "b", 555, true);
    store.perform(setData("b", { session_id: "ses" }), { label: "begin", undoable: false });
    expect(flow.getState().nodes[1]).toMatchObject({
      position: { x: 555 },
      data: { session_id: "ses" },
    });
  });

  it("keeps the selection through changes and loses what is gone", () => {
    const { store, flow } = stage();
    flow.select(["a", "c"], [flow.getState().edges[0]?.id ?? ""]);
    store.perform(setData("a", { text: "x" }), { label: "edit" });
    expect(flow.selectedNodes()).toEqual(new Set(["a", "c"]));
    store.perform(remove(["a"]), { label: "delete" });
    expect(flow.selectedNodes()).toEqual(new Set(["c"]));
    expect(flow.getState().edges).toEqual([]);
  });

  it("never removes or adds by itself", () => {
    const { flow } = stage();
    flow.onNodesChange([{ type: "remove", id: "a" }]);
    expect(flow.getState().nodes).toHaveLength(3);
  });
});

describe("shortcuts", () => {
  const press = (key: string, change: KeyboardEventInit = {}) =>
    new KeyboardEvent("keydown", { key, code: "", ...change });

  it.each([
    ["a letter", press("t"), "t", true],
    ["a letter with Shift is another", press("T", { shiftKey: true }), "t", false],
    ["Shift and a letter", press("T", { shiftKey: true }), "shift+t", true],
    ["Ctrl and a letter", press("z", { ctrlKey: true }), "mod+z", true],
    ["redo is not undo", press("Z", { ctrlKey: true, shiftKey: true }), "mod+z", false],
    ["a sign, however it is typed", press("?", { shiftKey: true }), "?", true],
    ["plus", press("+", { ctrlKey: true }), "mod+plus", true],
    ["minus", press("-"), "-", true],
    ["Backspace deletes too", press("Backspace"), "delete", true],
    ["a letter with Alt is the keyboard's", press("t", { altKey: true }), "t", false],
    ["a letter with the other modifier", press("t", { metaKey: true }), "t", false],
  ])("%s", (_, event, keys, expected) => {
    expect(matches(event, keys)).toBe(expected);
  });
});
