import type { ThreeElements } from "@react-three/fiber";
import { useLayoutEffect, useMemo, useRef, type ReactNode } from "react";
import { ExtrudeGeometry, ShapeGeometry, type BufferGeometry, type Group, type Shape } from "three";
import { useOutlines, type Outlines } from "./font-3d";
import { registerText } from "./measure-scene";

/** Text as geometry, from the bundled fonts. */

export interface Letter {
  character: string;
  /** Counts the letters that are drawn, spaces left out. */
  index: number;
  /** How many letters the text has. */
  count: number;
  line: number;
  /** Centre of the letter from the centre of the text. */
  x: number;
  y: number;
}

export interface LetterMotion {
  position?: readonly [x: number, y: number, z: number];
  rotation?: readonly [x: number, y: number, z: number];
  scale?: number;
}

export interface TextStyle {
  family?: string;
  weight?: number;
  /** Height of the font in scene units. */
  size?: number;
  /** In shares of the size. */
  letterSpacing?: number;
  lineHeight?: number;
  /** Lines break between words where they would exceed this; a word that is longer makes the whole text smaller. */
  maxWidth?: number;
  /** A text that is higher becomes smaller. */
  maxHeight?: number;
  align?: "left" | "center" | "right";
}

export interface TextProps extends TextStyle, Omit<ThreeElements["group"], "children" | "ref"> {
  text: string;
  /** Thickness; 0 for flat text. */
  depth?: number;
  /** Size of the rounded edge of thick text, in shares of the size. */
  bevel?: number;
  /** Where a letter is drawn, relative to its place. Called whenever the component is drawn. */
  letter?: (letter: Letter) => LetterMotion;
  /** One material for all letters, or two attached as `material-0` (faces) and `material-1` (sides). */
  children: ReactNode;
}

/** Where a text's letters are, and how large it is in the scene. */
export interface TextLayout {
  letters: PlacedLetter[];
  /** What the letters are scaled by to fit. */
  scale: number;
  width: number;
  /** From the top of the first line's capitals to the foot of the last line. */
  height: number;
  lines: number;
}

interface PlacedLetter extends Letter {
  /** Width of the letter. */
  width: number;
}

/** Lays a text out without drawing it, so that other things can be placed around it. */
export function useTextLayout(text: string, style: TextStyle): TextLayout {
  const { family = "Inter", weight = 800, size = 1, letterSpacing = 0, lineHeight = 1.1, maxWidth = Infinity, maxHeight = Infinity, align = "center" } = style;
  const outlines = useOutlines(family, weight, text);
  return useMemo(
    () => place(text, outlines, { size, letterSpacing, lineHeight, maxWidth, maxHeight, align }),
    [text, outlines, size, letterSpacing, lineHeight, maxWidth, maxHeight, align],
  );
}

/** Text in the scene, its middle at its position. */
export function Text({ text, family, weight, size = 1, letterSpacing, lineHeight, maxWidth, maxHeight, align, ...others }: TextProps) {
  const { depth = 0, bevel = depth > 0 ? 0.02 : 0, letter, children, ...props } = others;
  const outlines = useOutlines(family ?? "Inter", weight ?? 800, text);
  const { letters, scale } = useTextLayout(text, { family, weight, size, letterSpacing, lineHeight, maxWidth, maxHeight, align });
  const shapes = useMemo(() => {
    const made = new Map<string, BufferGeometry>();
    for (const { character, width } of letters) {
      const outline = outlines.outline(character);
      if (!outline || made.has(character)) continue;
      const geometry = shape(outline.shapes, size, depth, bevel);
      made.set(character, geometry.translate(-width / 2, -(outlines.capHeight * size) / 2, 0));
    }
    return made;
  }, [letters, outlines, size, depth, bevel]);
  const group = useRef<Group>(null);
  useLayoutEffect(() => (group.current ? registerText(group.current, text) : undefined), [text]);

  return (
    <group {...props}>
      <group ref={group} scale={scale}>
        {letters.map((at) => {
          const motion = letter?.(at) ?? {};
          const [x, y, z] = motion.position ?? [0, 0, 0];
          return (
            <mesh
              key={at.index}
              geometry={shapes.get(at.character)}
              position={[at.x + x, at.y + y, z]}
              rotation={motion.rotation ? [...motion.rotation] : [0, 0, 0]}
              scale={motion.scale ?? 1}
              castShadow
              receiveShadow
            >
              {children}
            </mesh>
          );
        })}
      </group>
    </group>
  );
}

type Setting = Required<Omit<TextStyle, "family" | "weight">>;

interface Line {
  letters: { character: string; from: number; width: number }[];
  width: number;
}

function place(text: string, outlines: Outlines, setting: Setting): TextLayout {
  const { size, lineHeight, align } = setting;
  const { lines, widest, scale } = fit(text, outlines, setting);
  const count = lines.reduce((sum, line) => sum + line.letters.filter(({ character }) => drawn(character, outlines)).length, 0);
  const letters: PlacedLetter[] = [];
  const cap = outlines.capHeight * size;
  // Capitals sit in the middle of the block, as the eye takes them.
  const height = (lines.length - 1) * lineHeight * size + cap;
  lines.forEach((line, number) => {
    const start = align === "center" ? -line.width / 2 : align === "left" ? -widest / 2 : widest / 2 - line.width;
    const y = (height - cap) / 2 - number * lineHeight * size;
    for (const { character, from, width } of line.letters) {
      if (drawn(character, outlines)) letters.push({ character, width, index: letters.length, count, line: number, x: start + from + width / 2, y });
    }
  });
  return { letters, scale, width: widest * scale, height: height * scale, lines: lines.length };
}

/** Breaks the text at the largest scale, up to 1, at which it fits: smaller letters need fewer lines. */
function fit(text: string, outlines: Outlines, setting: Setting): { lines: Line[]; widest: number; scale: number } {
  const { size, lineHeight, maxWidth, maxHeight } = setting;
  for (let scale = 1; ; scale *= 0.95) {
    const lines = breakLines(text, outlines, { ...setting, maxWidth: maxWidth / scale });
    const widest = Math.max(...lines.map((line) => line.width), 0.001);
    const height = ((lines.length - 1) * lineHeight + outlines.capHeight) * size;
    if (widest * scale <= maxWidth * 1.0001 && height * scale <= maxHeight) return { lines, widest, scale };
    if (scale < 0.05) return { lines, widest, scale: Math.min(maxWidth / widest, maxHeight / Math.max(height, 0.001)) };
  }
}

function drawn(character: string, outlines: Outlines): boolean {
  return character.trim() !== "" && outlines.outline(character) !== null;
}

function shape(shapes: Shape[], size: number, depth: number, bevel: number): BufferGeometry {
  const curveSegments = 8;
  if (depth === 0) return new ShapeGeometry(shapes, curveSegments).scale(size, size, 1);
  const geometry = new ExtrudeGeometry(shapes, {
    depth: depth / size,
    curveSegments,
    bevelEnabled: bevel > 0,
    bevelThickness: bevel,
    bevelSize: bevel * 0.6,
    bevelOffset: -bevel * 0.3,
    bevelSegments: 3,
  });
  return geometry.scale(size, size, size).translate(0, 0, -depth / 2);
}

function breakLines(text: string, outlines: Outlines, { size, letterSpacing, maxWidth }: Setting): Line[] {
  const lines: Line[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(/\s+/).filter(Boolean)) {
      const longer = line ? `${line} ${word}` : word;
      if (line && measure(longer, outlines, size, letterSpacing).width > maxWidth) {
        lines.push(measure(line, outlines, size, letterSpacing));
        line = word;
      } else {
        line = longer;
      }
    }
    if (line) lines.push(measure(line, outlines, size, letterSpacing));
  }
  return lines;
}

function measure(text: string, outlines: Outlines, size: number, letterSpacing: number): Line {
  const letters: Line["letters"] = [];
  let x = 0;
  let before = "";
  for (const character of text) {
    const advance = (outlines.outline(character)?.advance ?? 0) * size;
    if (before) x += (letterSpacing + outlines.kerning(before, character)) * size;
    letters.push({ character, from: x, width: advance });
    x += advance;
    before = character;
  }
  return { letters, width: x };
}
