/** Reads unified diffs. Pure. */

export interface DiffLine {
  kind: "same" | "added" | "removed" | "gap";
  /** Line numbers before and after. */
  before: number | null;
  after: number | null;
  text: string;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;

export function parseDiff(text: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let before = 0;
  let after = 0;
  let inside = false;
  for (const raw of text.split("\n")) {
    const hunk = HUNK.exec(raw);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      if (lines.length > 0)
        lines.push({ kind: "gap", before: null, after: null, text: hunk[3] ?? "" });
      inside = true;
      continue;
    }
    if (!inside) continue;
    const rest = raw.slice(1);
    switch (raw[0]) {
      case "+":
        lines.push({ kind: "added", before: null, after, text: rest });
        after += 1;
        break;
      case "-":
        lines.push({ kind: "removed", before, after: null, text: rest });
        before += 1;
        break;
      case " ":
        lines.push({ kind: "same", before, after, text: rest });
        before += 1;
        after += 1;
        break;
      default:
      // The end of the text, or "\ No newline at end of file".
    }
  }
  return lines;
}

export function countDiff(lines: readonly DiffLine[]): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  for (const line of lines) {
    if (line.kind === "added") added += 1;
    else if (line.kind === "removed") removed += 1;
  }
  return { added, removed };
}
