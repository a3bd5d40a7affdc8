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

/** Fetches the Latin letters of a design's fonts before the first frame needs them. */
export async function loadFonts(names: string[]): Promise<void> {
  const wanted = new Set(names);
  const faces = [...document.fonts].filter(
    (face) => wanted.has(face.family.replaceAll('"', "")) && face.style === "normal" && /U\+0+-F/i.test(face.unicodeRange),
  );
  await Promise.allSettled(faces.map((face) => face.load()));
}
