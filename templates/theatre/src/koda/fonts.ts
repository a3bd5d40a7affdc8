import { families, subsets } from "./families";

/**
 * Makes the bundled families known to the page. A file is fetched only when letters of its subset are shown, so naming them all
 * costs nothing.
 */
export function registerFonts(): void {
  for (const family of families) {
    for (const face of family.faces) {
      for (const subset of Object.keys(face.files) as (keyof typeof subsets)[]) {
        const url = face.files[subset];
        if (!url) continue;
        const unicodeRange = subsets[subset];
        const descriptors = { weight: face.weight, style: face.style, unicodeRange, display: "block" } as const;
        document.fonts.add(new FontFace(family.name, `url("${url.href}")`, descriptors));
      }
    }
  }
}

/** Fetches what these families need for this text before the first frame does, so that text can be measured. */
export async function loadFonts(names: string[], text: string): Promise<void> {
  const wanted = new Set(names);
  const latin = [...document.fonts].filter(
    (face) => wanted.has(face.family.replaceAll('"', "")) && face.style === "normal" && /U\+0+-F/i.test(face.unicodeRange),
  );
  const other = names.flatMap((name) => [400, 700].map((weight) => document.fonts.load(`${weight} 16px "${name}"`, text)));
  await Promise.allSettled([...latin.map((face) => face.load()), ...other]);
}
