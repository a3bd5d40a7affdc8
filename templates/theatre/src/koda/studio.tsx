import { useThree, type ThreeElements } from "@react-three/fiber";
import { useEffect, useLayoutEffect, useMemo } from "react";
import { CanvasTexture, SRGBColorSpace, type ColorRepresentation, type Texture } from "three";
import { transparent } from "./environment";
import { studioMap, type Panel } from "./studio-map";

export type { Panel };

/** Light, ground and background, made here: nothing is fetched. */

const softboxes: Panel[] = [
  { position: [0, 6, 1], size: [7, 4], intensity: 5 },
  { position: [-6, 1.5, 2], size: [2, 6], intensity: 4 },
  { position: [6, 1, -1], size: [1.2, 7], intensity: 6 },
  { position: [0, 1, 8], size: [5, 3], intensity: 0.7 },
];

interface StudioLightProps {
  panels?: Panel[];
  /** Colour of the room that the panels hang in. */
  room?: ColorRepresentation;
  intensity?: number;
}

/** Lights materials by a studio of glowing panels, and gives shiny ones something to mirror. */
export function StudioLight({ panels = softboxes, room = "#14161d", intensity = 1 }: StudioLightProps) {
  const scene = useThree((state) => state.scene);
  const description = JSON.stringify([panels, room]);
  const map = useMemo(() => {
    const [list, color] = JSON.parse(description) as [Panel[], ColorRepresentation];
    return mapFor(description, list, color);
  }, [description]);

  useLayoutEffect(() => {
    scene.environment = map;
    scene.environmentIntensity = intensity;
    return () => {
      if (scene.environment === map) scene.environment = null;
    };
  }, [scene, map, intensity]);
  return null;
}

/** The studio last made: a composition that is loaded again most often has the same. */
let made: { description: string; map: Texture } | null = null;

function mapFor(description: string, panels: Panel[], room: ColorRepresentation): Texture {
  if (made?.description !== description) made = { description, map: studioMap(panels, room) };
  return made.map;
}

/** A picture painted once on a 2D canvas, as a texture. */
export function usePainted(width: number, height: number, paint: (context: CanvasRenderingContext2D) => void, key: string): Texture {
  const texture = useMemo(() => {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (context) paint(context);
    const painted = new CanvasTexture(canvas);
    painted.colorSpace = SRGBColorSpace;
    painted.anisotropy = 8;
    return painted;
    // The key stands for everything that the painting depends on.
  }, [width, height, key]);
  useEffect(() => () => texture.dispose(), [texture]);
  return texture;
}

interface BackdropProps {
  color: string;
  /** Colour of a soft glow, and where its centre is: shares of width and height from the top left. */
  glow?: string;
  at?: readonly [x: number, y: number];
  /** How far the glow reaches, in shares of the picture's longer side. */
  reach?: number;
}

/** Fills the picture behind everything; left out where the picture keeps its alpha. */
export function Backdrop({ color, glow = color, at = [0.5, 0.45], reach = 0.6 }: BackdropProps) {
  const scene = useThree((state) => state.scene);
  const key = [color, glow, ...at, reach].join();
  const texture = usePainted(
    512,
    512,
    (context) => {
      const gradient = context.createRadialGradient(at[0] * 512, at[1] * 512, 0, at[0] * 512, at[1] * 512, reach * 512);
      gradient.addColorStop(0, glow);
      gradient.addColorStop(1, color);
      context.fillStyle = gradient;
      context.fillRect(0, 0, 512, 512);
    },
    key,
  );
  useLayoutEffect(() => {
    if (transparent) return;
    scene.background = texture;
    return () => {
      scene.background = null;
    };
  }, [scene, texture]);
  return null;
}

interface ContactShadowProps extends Omit<ThreeElements["mesh"], "scale"> {
  /** Width and depth of the shadow in scene units. */
  size?: readonly [width: number, depth: number];
  opacity?: number;
  color?: string;
}

/** A soft dark patch where something stands; costs next to nothing. */
export function ContactShadow({ size = [2, 2], opacity = 0.6, color = "#000000", ...props }: ContactShadowProps) {
  const texture = usePainted(
    256,
    256,
    (context) => {
      const gradient = context.createRadialGradient(128, 128, 0, 128, 128, 128);
      gradient.addColorStop(0, "rgba(255,255,255,1)");
      gradient.addColorStop(0.45, "rgba(255,255,255,0.55)");
      gradient.addColorStop(1, "rgba(255,255,255,0)");
      context.fillStyle = gradient;
      context.fillRect(0, 0, 256, 256);
    },
    "shadow",
  );
  return (
    <mesh rotation={[-Math.PI / 2, 0, 0]} renderOrder={1} {...props}>
      <planeGeometry args={[...size]} />
      <meshBasicMaterial map={texture} color={color} transparent opacity={opacity} depthWrite={false} toneMapped={false} />
    </mesh>
  );
}
