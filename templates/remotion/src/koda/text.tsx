import type { CSSProperties, ReactNode } from "react";
import { useMemo } from "react";

/** Text that fits its box and moves by words or letters. */

let ruler: CanvasRenderingContext2D | null = null;

/** Width of a text in one line, in the same unit as the font size. */
export function textWidth(text: string, family: string, weight: number, size: number, letterSpacing = 0): number {
  ruler ??= document.createElement("canvas").getContext("2d");
  if (!ruler) return text.length * size * 0.6;
  ruler.font = `${weight} 100px "${family}"`;
  return (ruler.measureText(text).width / 100 + [...text].length * letterSpacing) * size;
}

export interface Fit {
  family: string;
  weight: number;
  /** Box to fill. */
  width: number;
  height: number;
  /** Largest font size allowed. */
  max: number;
  lineHeight?: number;
  /** In shares of the font size. */
  letterSpacing?: number;
  maxLines?: number;
}

export interface Fitted {
  size: number;
  lines: string[];
}

/** The largest font size at which a text fits its box, and its lines, broken evenly between words. */
export function fitText(text: string, fit: Fit): Fitted {
  const { family, weight, width, height, max, lineHeight = 1.08, letterSpacing = 0, maxLines = 4 } = fit;
  const words = text.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return { size: max, lines: [] };
  const measure = (line: string) => textWidth(line, family, weight, 1, letterSpacing);
  let best: Fitted = { size: 0, lines: [text] };
  for (let count = 1; count <= Math.min(maxLines, words.length); count++) {
    const lines = breakEvenly(words, count, measure);
    const widest = Math.max(...lines.map(measure), 0.01);
    const size = Math.min(max, width / widest, height / (lines.length * lineHeight));
    // A further line must be worth it.
    if (size > best.size * 1.08) best = { size, lines };
  }
  return best;
}

/** Breaks words into this many lines so that the widest is as narrow as can be. */
function breakEvenly(words: string[], count: number, measure: (line: string) => number): string[] {
  if (count === 1) return [words.join(" ")];
  let best: string[] = [words.join(" ")];
  let narrowest = Infinity;
  for (let first = 1; first <= words.length - count + 1; first++) {
    const lines = [words.slice(0, first).join(" "), ...breakEvenly(words.slice(first), count - 1, measure)];
    const widest = Math.max(...lines.map(measure));
    if (widest < narrowest) {
      narrowest = widest;
      best = lines;
    }
  }
  return best;
}

/** `fitText` for a component: computed again only when the text or its box changes. */
export function useFittedText(text: string, fit: Fit): Fitted {
  const { family, weight, width, height, max, lineHeight, letterSpacing, maxLines } = fit;
  return useMemo(
    () => fitText(text, fit),
    [text, family, weight, width, height, max, lineHeight, letterSpacing, maxLines],
  );
}

export interface Part {
  text: string;
  /** Counts parts over all lines. */
  index: number;
  count: number;
  line: number;
}

interface SplitProps {
  lines: string[];
  by: "line" | "word" | "letter";
  /** How a part looks now. */
  part: (part: Part) => CSSProperties;
  /** Cuts off what leaves its line, so that parts can rise from behind an edge. */
  mask?: boolean;
  style?: CSSProperties;
}

/** Draws lines of text in parts that are styled one by one. The text stays whole for measuring. */
export function Split({ lines, by, part, mask = false, style }: SplitProps) {
  const split = lines.map((line) =>
    line.split(/\s+/).map((word) => (by === "letter" ? [...word] : [word])),
  );
  const count = by === "line" ? lines.length : split.flat(2).length;
  let index = 0;
  return (
    <div data-text="" style={style}>
      {split.map((words, line) => {
        if (by === "line") {
          return (
            <Mask key={line} on={mask}>
              <div style={{ display: "inline-block", whiteSpace: "pre", ...part({ text: lines[line] ?? "", index: line, count, line }) }}>{lines[line]}</div>
            </Mask>
          );
        }
        return (
          <Mask key={line} on={mask}>
            {words.map((letters, word) => (
              <span key={word} style={{ display: "inline-block", whiteSpace: "pre" }}>
                {letters.map((text, letter) => (
                  <span key={letter} style={{ display: "inline-block", whiteSpace: "pre", ...part({ text, index: index++, count, line }) }}>
                    {text}
                  </span>
                ))}
                {word < words.length - 1 ? " " : null}
              </span>
            ))}
          </Mask>
        );
      })}
    </div>
  );
}

function Mask({ on, children }: { on: boolean; children: ReactNode }) {
  // Room for what hangs below the line, taken back from the space between lines.
  const style: CSSProperties = on ? { overflow: "hidden", padding: "0.12em 0.06em 0.2em", margin: "-0.12em -0.06em -0.2em" } : {};
  return (
    <div style={{ whiteSpace: "pre", ...style }} {...(on ? { "data-mask": "" } : {})}>
      {children}
    </div>
  );
}
