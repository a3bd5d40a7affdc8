import { createContext, useContext, type CSSProperties, type ReactNode } from "react";
import { AbsoluteFill } from "remotion";
import { transparent } from "./environment";
import { luminance } from "./motion";

const Ground = createContext("#000000");

interface BackdropProps {
  color: string;
  style?: CSSProperties;
  children?: ReactNode;
}

/** Fills the picture behind everything, with whatever decorates it; left out where the picture keeps its alpha. */
export function Backdrop({ color, style, children }: BackdropProps) {
  if (transparent) return null;
  return (
    <Ground value={color}>
      <AbsoluteFill style={{ backgroundColor: color, overflow: "hidden", ...style }}>{children}</AbsoluteFill>
    </Ground>
  );
}

interface GlowProps {
  /** Centre, in shares of width and height. */
  x: number;
  y: number;
  /** Width of the light, in CSS units. */
  size: number;
  color: string;
  opacity?: number;
}

/** A soft round light. */
export function Glow({ x, y, size, color, opacity = 1 }: GlowProps) {
  return (
    <div
      style={{
        position: "absolute",
        left: `${x * 100}%`,
        top: `${y * 100}%`,
        width: size,
        height: size,
        transform: "translate(-50%, -50%)",
        backgroundImage: `radial-gradient(circle closest-side, ${color}, transparent)`,
        opacity,
      }}
    />
  );
}

/** Darkens the edges of the picture; only a little where the ground is light, which would look dirty. */
export function Vignette({ opacity = 0.45 }: { opacity?: number }) {
  const strength = opacity * (luminance(useContext(Ground)) > 0.5 ? 0.12 : 1);
  return <AbsoluteFill style={{ backgroundImage: `radial-gradient(ellipse at center, transparent 45%, rgba(0, 0, 0, ${strength}) 125%)` }} />;
}

let grain: string | null = null;

/** A tile of noise, made once: the same one every time. */
function grainTile(): string {
  if (grain) return grain;
  const size = 160;
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size;
  const context = canvas.getContext("2d");
  if (!context) return "none";
  const tile = context.createImageData(size, size);
  let seed = 1;
  for (let index = 0; index < tile.data.length; index += 4) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const value = seed >>> 24;
    tile.data.set([value, value, value, 255], index);
  }
  context.putImageData(tile, 0, 0);
  grain = `url("${canvas.toDataURL()}")`;
  return grain;
}

/** A still film grain: keeps wide gradients from showing bands. */
export function Grain({ opacity = 0.035 }: { opacity?: number }) {
  return <AbsoluteFill style={{ backgroundImage: grainTile(), opacity }} />;
}
