import { expect, it } from "vitest";
import { countDiff, parseDiff } from "./diff";

const DIFF = `--- a/src/design.ts
+++ b/src/design.ts
@@ -1,3 +1,4 @@
 one
-two
+2
+2.5
 three
@@ -10,2 +11,1 @@ const x
 ten
-eleven
\\ No newline at end of file
`;

it("reads lines with their numbers on both sides", () => {
  expect(
    parseDiff(DIFF).map(({ kind, before, after, text }) => [kind, before, after, text]),
  ).toEqual([
    ["same", 1, 1, "one"],
    ["removed", 2, null, "two"],
    ["added", null, 2, "2"],
    ["added", null, 3, "2.5"],
    ["same", 3, 4, "three"],
    ["gap", null, null, "const x"],
    ["same", 10, 11, "ten"],
    ["removed", 11, null, "eleven"],
  ]);
  expect(countDiff(parseDiff(DIFF))).toEqual({ added: 2, removed: 2 });
});

it("takes a line of code that looks like a header as code", () => {
  const lines = parseDiff("@@ -1,1 +1,1 @@\n--- minus\n+++ plus\n");
  expect(lines.map((line) => [line.kind, line.text])).toEqual([
    ["removed", "-- minus"],
    ["added", "++ plus"],
  ]);
  expect(parseDiff("")).toEqual([]);
});
