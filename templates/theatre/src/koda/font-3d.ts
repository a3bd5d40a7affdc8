import { parse, type Font } from "opentype.js";
import { use } from "react";
import { ShapePath, type Shape } from "three";
import { families, subsets } from "./families";

/** Outlines of the bundled fonts, for text that is geometry. */

const loaded = new Map<string, Promise<Font>>();

function load(url: URL): Promise<Font> {
  let font = loaded.get(url.href);
  if (!font) {
    font = fetch(url).then(async (response) => {
      if (!response.ok) throw new Error(`Cannot load the font ${url.pathname}.`);
      return parse(await response.arrayBuffer());
    });
    loaded.set(url.href, font);
  }
  return font;
}

type Subset = keyof typeof subsets;
const ranges = new Map<Subset, [from: number, to: number][]>(
  Object.entries(subsets).map(([subset, text]) => [
    subset as Subset,
    text.split(",").map((range) => {
      const [from = "0", to = from] = range.slice(2).split("-");
      return [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    }),
  ]),
);

function subsetOf(character: string): Subset | null {
  const code = character.codePointAt(0) ?? 0;
  for (const [subset, list] of ranges) if (list.some(([from, to]) => code >= from && code <= to)) return subset;
  return null;
}

/** The file of a family nearest to a weight that has this subset. */
function fileOf(name: string, weight: number, subset: Subset): URL | null {
  const family = families.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  const faces = (family?.faces ?? []).filter((face) => face.files[subset]);
  faces.sort((a, b) => Math.abs(Number.parseInt(a.weight) - weight) - Math.abs(Number.parseInt(b.weight) - weight));
  return faces[0]?.files[subset] ?? null;
}

const substitute = "Inter";

export interface Outline {
  shapes: Shape[];
  /** How far the next letter is from this one, where the font's size is 1. */
  advance: number;
}

export interface Outlines {
  outline(character: string): Outline | null;
  kerning(left: string, right: string): number;
  /** Height of a capital letter, where the font's size is 1. */
  capHeight: number;
}

interface Fonts {
  bySubset: Map<Subset, Font>;
  cache: Map<string, Outline | null>;
}

const sets = new Map<string, Promise<Outlines>>();

/** Suspends until the outlines of every letter of the text are there. Letters that a family lacks are taken from Inter; a letter that
 * no font has is an error, because a text without it would pass for right. */
export function useOutlines(family: string, weight: number, text: string): Outlines {
  const needed = [...new Set([...text].map(subsetOf).filter((subset) => subset !== null))].sort();
  const id = `${family}/${weight}/${needed.join()}`;
  let outlines = sets.get(id);
  if (!outlines) {
    outlines = prepare(family, weight, needed);
    sets.set(id, outlines);
  }
  const found = use(outlines);
  const missing = [...new Set(text)].filter((character) => !/[\p{M}\p{C}\p{Z}]/u.test(character) && !found.outline(character));
  if (missing.length > 0) {
    throw new Error(
      `No font of this workspace has ${missing.slice(0, 12).map((character) => `“${character}”`).join(", ")} as geometry. ` +
        "Write the text in letters that the fonts have, or take the 2D engine for this script.",
    );
  }
  return found;
}

async function prepare(family: string, weight: number, needed: Subset[]): Promise<Outlines> {
  const fonts: Fonts = { bySubset: new Map(), cache: new Map() };
  await Promise.all(
    (["latin", ...needed] satisfies Subset[]).map(async (subset) => {
      const url = fileOf(family, weight, subset) ?? fileOf(substitute, weight, subset);
      if (url) fonts.bySubset.set(subset, await load(url));
    }),
  );
  const latin = fonts.bySubset.get("latin");
  const capHeight = latin ? (latin.charToGlyph("H").getBoundingBox().y2 || latin.unitsPerEm * 0.7) / latin.unitsPerEm : 0.7;
  return {
    capHeight,
    outline(character) {
      let outline = fonts.cache.get(character);
      if (outline === undefined) {
        outline = trace(fonts, character);
        fonts.cache.set(character, outline);
      }
      return outline;
    },
    kerning(left, right) {
      const font = fontOf(fonts, left);
      if (!font || font !== fontOf(fonts, right)) return 0;
      return font.getKerningValue(font.charToGlyph(left), font.charToGlyph(right)) / font.unitsPerEm;
    },
  };
}

function fontOf(fonts: Fonts, character: string): Font | null {
  const subset = subsetOf(character);
  const font = subset && fonts.bySubset.get(subset);
  return font && font.charToGlyphIndex(character) > 0 ? font : null;
}

function trace(fonts: Fonts, character: string): Outline | null {
  const font = fontOf(fonts, character);
  if (!font) return null;
  const glyph = font.charToGlyph(character);
  const path = new ShapePath();
  for (const command of glyph.getPath(0, 0, 1).commands) {
    // Fonts are drawn with y downwards; the scene has it upwards.
    switch (command.type) {
      case "M":
        path.moveTo(command.x, -command.y);
        break;
      case "L":
        path.lineTo(command.x, -command.y);
        break;
      case "Q":
        path.quadraticCurveTo(command.x1, -command.y1, command.x, -command.y);
        break;
      case "C":
        path.bezierCurveTo(command.x1, -command.y1, command.x2, -command.y2, command.x, -command.y);
        break;
      case "Z":
        break;
    }
  }
  return { shapes: path.toShapes(false), advance: (glyph.advanceWidth ?? font.unitsPerEm / 2) / font.unitsPerEm };
}
