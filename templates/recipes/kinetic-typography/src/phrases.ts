import type { Design } from "./koda/design";

export interface Phrase {
  text: string;
  /** Smaller words below; empty for most. */
  note: string;
  /** First frame, and for how many frames the card before is being covered. */
  from: number;
  cover: number;
  length: number;
}

/** Seconds that a phrase needs at least; a short animation shows fewer phrases, but always the last. */
const SHORTEST = 0.6;

/** Cuts a design's words into phrases, each with time according to its length. */
export function cut(design: Design, durationInFrames: number, fps: number): Phrase[] {
  const lines = (design.lines ?? []).map((line) => line.trim()).filter(Boolean);
  const texts = lines.length > 0 ? [...lines] : split(design.title);
  // Lines lead up to the title; a title that was cut up is shown whole once more, with what goes with it.
  if (lines.length === 0 ? texts.length > 1 || design.subtitle : design.title.trim()) texts.push(design.title.trim());
  const all = texts.filter((text, index) => index === 0 || text !== texts[index - 1]);
  const room = Math.max(1, Math.floor(durationInFrames / fps / SHORTEST));
  const unique = all.length > room ? [...all.slice(0, room - 1), ...all.slice(-1)] : all;
  const weights = unique.map((text, index) => 5 + Math.min(40, text.length) * 0.42 + (index === unique.length - 1 ? 10 : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let at = 0;
  return unique.map((text, index) => {
    const from = Math.round((at / total) * durationInFrames);
    at += weights[index] ?? 0;
    const length = Math.round((at / total) * durationInFrames) - from;
    const last = index === unique.length - 1;
    return { text, note: last ? design.subtitle.trim() : "", from, length, cover: index === 0 ? 0 : Math.max(1, Math.round(length * 0.3)) };
  });
}

/** Two or three words at a time, broken where the sentence breathes. */
function split(title: string): string[] {
  const phrases: string[] = [];
  let phrase: string[] = [];
  for (const word of title.trim().split(/\s+/).filter(Boolean)) {
    phrase.push(word);
    const letters = phrase.join("").length;
    if (/[.,;:!?…—–]$/.test(word) || phrase.length >= 2 || letters >= 11) {
      phrases.push(phrase.join(" "));
      phrase = [];
    }
  }
  if (phrase.length > 0) {
    const short = phrase.join(" ");
    const before = phrases.at(-1);
    if (before && short.length <= 3) phrases[phrases.length - 1] = `${before} ${short}`;
    else phrases.push(short);
  }
  return phrases.slice(0, 9);
}
