import { describe, expect, it } from "vitest";
import { addNodes, connect, move, remove, setData } from "./commands";
import { type Document, emptyDocument, type Node } from "./document";
import { type Content, merge } from "./merge";
import { apply, type Op } from "./ops";
import { problem } from "./validate";

const node = (id: string, type: Node["type"], data: Node["data"] = {}): Node => ({
  id,
  type,
  x: 0,
  y: 0,
  data,
});

const base: Content = {
  name: "Film",
  document: apply(emptyDocument(), [
    ...addNodes([node("a", "text", { text: "one" }), node("b", "animation"), node("c", "note")]),
    {
      op: "add_edge",
      edge: { id: "e", source: "a", source_port: "text", target: "b", target_port: "prompt" },
    },
  ]).document,
};

const changed = (ops: Op[], name = base.name): Content => ({
  name,
  document: apply(base.document, ops).document,
});

const at = (document: Document, id: string) => document.nodes.find((it) => it.id === id);

describe("merging", () => {
  it("takes what only one side changed, from either side", () => {
    const mine = changed(
      [...setData("a", { text: "mine" }), ...addNodes([node("m", "note")])],
      "Mine",
    );
    const theirs = changed([
      ...move([["a", { x: 50, y: 60 }]]),
      ...setData("b", { session_id: "ses_1" }),
      ...addNodes([node("t", "media")]),
      ...remove(["c"]),
    ]);
    const merged = merge(base, mine, theirs);
    expect(merged.conflicts).toEqual([]);
    expect(merged.name).toBe("Mine");
    expect(merged.document.nodes.map((it) => it.id).sort()).toEqual(["a", "b", "m", "t"]);
    expect(at(merged.document, "a")).toMatchObject({ x: 50, y: 60, data: { text: "mine" } });
    expect(at(merged.document, "b")?.data).toEqual({ session_id: "ses_1" });
  });

  it("asks only where both wrote different things into the same field", () => {
    const mine = changed(setData("a", { text: "mine" }));
    const theirs = changed(setData("a", { text: "theirs" }));
    const merged = merge(base, mine, theirs);
    expect(merged.conflicts).toEqual([{ what: "node", id: "a", field: "text" }]);
    expect(at(merged.document, "a")?.data.text).toBe("mine");
    const other = merge(base, mine, theirs, "theirs");
    expect(at(other.document, "a")?.data.text).toBe("theirs");
  });

  it("does not ask where both did the same, or only moved", () => {
    const same = changed(setData("a", { text: "same" }));
    expect(merge(base, same, structuredClone(same)).conflicts).toEqual([]);
    const merged = merge(
      base,
      changed(move([["a", { x: 1, y: 1 }]])),
      changed(move([["a", { x: 2, y: 2 }]])),
    );
    expect(merged.conflicts).toEqual([]);
    expect(at(merged.document, "a")).toMatchObject({ x: 1, y: 1 });
  });

  it("keeps a node that one side removed and the other wrote in", () => {
    const removed = changed(remove(["a"]));
    const written = changed(setData("a", { text: "more" }));
    for (const merged of [merge(base, removed, written), merge(base, written, removed)])
      expect(at(merged.document, "a")?.data.text).toBe("more");
  });

  it("lets a removal stand against a mere move", () => {
    const merged = merge(base, changed(remove(["a"])), changed(move([["a", { x: 9, y: 9 }]])));
    expect(at(merged.document, "a")).toBeUndefined();
    expect(merged.document.edges).toEqual([]);
  });

  it("never leaves a connection without its ends", () => {
    const mine = changed(remove(["b"]));
    const theirs = changed([
      ...addNodes([node("t", "text")]),
      ...connect(apply(base.document, addNodes([node("t", "text")])).document, {
        source: "t",
        source_port: "text",
        target: "b",
        target_port: "prompt",
      }),
    ]);
    expect(theirs.document.edges).toHaveLength(2);
    const merged = merge(base, mine, theirs);
    expect(merged.document.edges).toEqual([]);
    expect(problem(merged.document)).toBeNull();
  });
});
