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

export interface TextProps extends Omit<ThreeElements["group"], "children" | "ref"> {
  text: string;
  family?: string;
  weight?: number;
  /** Height of the font in scene units. */
  size?: number;
  /** Thickness; 0 for flat text. */
  depth?: number;
  /** Size of the rounded edge of thick text. */
  bevel?: number;
  /** In shares of the size. */
  letterSpacing?: number;
  lineHeight?: number;
  /** Lines break between words where they would exceed this; a word that is longer makes the whole text smaller. */
  maxWidth?: number;
  align?: "left" | "center" | "right";
  /** Where a letter is drawn, relative to its place. Called whenever the component is drawn. */
  letter?: (letter: Letter) => LetterMotion;
  /** One material for all letters, or two attached as `material-0` (faces) and `material-1` (sides). */
  children: ReactNode;
}

interface Placed extends Letter {
  geometry: BufferGeometry;
}

export function Text({
  text,
  family = "Inter",
  weight = 800,
  size = 1,
  depth = 0,
  bevel = depth > 0 ? 0.02 : 0,
  letterSpacing = 0,
  lineHeight = 1.1,
  maxWidth = Infinity,
  align = "center",
  letter,
  children,
  ...props
}: TextProps) {
  const outlines = useOutlines(family, weight, text);
  const { placed, scale } = useMemo(
    () => place(text, outlines, { size, depth, bevel, letterSpacing, lineHeight, maxWidth, align }),
    [text, outlines, size, depth, bevel, letterSpacing, lineHeight, maxWidth, align],
  );
  const group = useRef<Group>(null);
  useLayoutEffect(() => (group.current ? registerText(group.current, text) : undefined), [text]);

  return (
    <group {...props}>
      <group ref={group} scale={scale}>
        {placed.map(({ geometry, ...at }) => {
          const motion = letter?.(at) ?? {};
          const [x, y, z] = motion.position ?? [0, 0, 0];
          return (
            <mesh
              key={at.index}
              geometry={geometry}
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

interface Setting {
  size: number;
  depth: number;
  bevel: number;
  letterSpacing: number;
  lineHeight: number;
  maxWidth: number;
  align: "left" | "center" | "right";
}

interface Line {
  letters: { character: string; from: number; width: number }[];
  width: number;
}

function place(text: string, outlines: Outlines, setting: Setting): { placed: Placed[]; scale: number } {
  const { size, lineHeight, maxWidth, align } = setting;
  const lines = breakLines(text, outlines, setting);
  const widest = Math.max(...lines.map((line) => line.width), 0.001);
  const count = lines.reduce((sum, line) => sum + line.letters.filter(({ character }) => character.trim()).length, 0);
  const geometries = new Map<string, BufferGeometry>();
  const placed: Placed[] = [];
  // Capitals sit in the middle of the block, as the eye takes them.
  const middle = ((lines.length - 1) * lineHeight * size - outlines.capHeight * size) / 2;
  lines.forEach((line, number) => {
    const start = align === "center" ? -line.width / 2 : align === "left" ? -widest / 2 : widest / 2 - line.width;
    for (const { character, from, width } of line.letters) {
      const outline = outlines.outline(character);
      if (!character.trim() || !outline) continue;
      let geometry = geometries.get(character);
      if (!geometry) {
        geometry = shape(outline.shapes, setting);
        geometry.translate(-width / 2, -(outlines.capHeight * size) / 2, 0);
        geometries.set(character, geometry);
      }
      const y = middle - number * lineHeight * size + (outlines.capHeight * size) / 2;
      placed.push({ character, geometry, index: placed.length, count, line: number, x: start + from + width / 2, y });
    }
  });
  return { placed, scale: Math.min(1, maxWidth / widest) };
}

function shape(shapes: Shape[], { size, depth, bevel }: Setting): BufferGeometry {
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
