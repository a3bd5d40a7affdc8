import { useMemo } from "react";
import { design as given } from "./design";
import type { Design } from "./koda/design";
import { useProgress, useVideoConfig } from "./koda/frame";
import { blend, chance } from "./koda/motion";
import { useTheatre } from "./koda/theatre";

const design: Design = given;
const { colors } = design;

const kinds = ["ball", "ring", "block", "cone", "pill"] as const;

interface Piece {
  kind: (typeof kinds)[number];
  angle: number;
  far: number;
  depth: number;
  size: number;
  spin: number;
  color: string;
}

/** Small solids that float around the title, each with its own turn. */
export function Shapes() {
  const { aspect, duration } = useVideoConfig();
  const { spread, turn } = useTheatre("Shapes", { spread: 1, turn: 0 });
  const seconds = useProgress() * duration * (design.speed ?? 1);
  const pieces = useMemo<Piece[]>(
    () =>
      Array.from({ length: 22 }, (_, index) => ({
        kind: kinds[index % kinds.length] ?? "ball",
        angle: (index / 22) * Math.PI * 2 + chance("angle", index) * 0.5,
        far: 0.95 + 0.5 * chance("far", index),
        // Behind the words, so that they can be read.
        depth: -5 + 3.6 * chance("depth", index),
        size: 0.13 + 0.3 * chance("size", index) ** 2,
        spin: 0.4 + 1.2 * chance("spin", index),
        color: [colors.primary, colors.accent, blend(colors.primary, colors.accent, 0.5), colors.text][Math.floor(chance("color", index) * 3.4)] ?? colors.accent,
      })),
    [],
  );
  return (
    <group>
      {pieces.map(({ kind, angle, far, depth, size, spin, color }, index) => {
        const around = angle + turn * 0.5;
        const x = Math.cos(around) * (aspect > 1 ? 5.4 : 3) * far * spread;
        const y = Math.sin(around) * (aspect > 1 ? 3.1 : 4.8) * far * (Math.sin(around) < 0 ? 1.22 : 1) * spread + Math.sin(seconds * 0.9 + index) * 0.12;
        return (
          <mesh key={index} position={[x, y, depth]} rotation={[seconds * spin, seconds * spin * 0.7 + angle, angle]} scale={size}>
            {kind === "ball" ? <sphereGeometry args={[1, 28, 20]} /> : null}
            {kind === "ring" ? <torusGeometry args={[0.85, 0.3, 16, 40]} /> : null}
            {kind === "block" ? <boxGeometry args={[1.4, 1.4, 1.4]} /> : null}
            {kind === "cone" ? <coneGeometry args={[0.9, 1.6, 28]} /> : null}
            {kind === "pill" ? <capsuleGeometry args={[0.5, 1, 8, 20]} /> : null}
            <meshStandardMaterial color={color} metalness={0.25} roughness={0.3} />
          </mesh>
        );
      })}
    </group>
  );
}
