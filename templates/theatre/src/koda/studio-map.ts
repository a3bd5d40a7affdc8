import { Color, CubeUVReflectionMapping, DataTexture, DataUtils, HalfFloatType, LinearFilter, LinearSRGBColorSpace, RGBAFormat, Vector3 } from "three";
import type { ColorRepresentation } from "three";

/**
 * Light from a studio of glowing panels, computed for every roughness here instead of by three's PMREMGenerator, whose shaders take
 * seconds to compile where there is no GPU. The picture is laid out as three's `cube_uv_reflection_fragment` reads it: six faces
 * for each level, 128 pixels wide at the sharpest.
 */

export interface Panel {
  /** Where the light panel hangs; it faces the middle. */
  position: readonly [x: number, y: number, z: number];
  size: readonly [width: number, height: number];
  color?: ColorRepresentation;
  intensity?: number;
}

const SHARPEST = 7;
const SMALLEST = 4;
const WIDTH = 3 * 2 ** SHARPEST;
const HEIGHT = 4 * 2 ** SHARPEST;

/** The roughness that three looks up at each level. */
const roughness: Record<number, number> = { [-2]: 1, [-1]: 0.8, 0: 0.667, 1: 0.533, 2: 0.4, 3: 0.305, 4: 0.21, 5: 0.152, 6: 0.108, 7: 0.04 };

interface Light {
  centre: Vector3;
  normal: Vector3;
  right: Vector3;
  up: Vector3;
  halfWidth: number;
  halfHeight: number;
  color: Color;
  /** Points of the panel as directions, each with its part of the solid angle. */
  samples: { x: number; y: number; z: number; angle: number }[];
}

function toLight({ position, size, color = "#ffffff", intensity = 1 }: Panel): Light {
  const centre = new Vector3(...position);
  const normal = centre.clone().normalize();
  const right = new Vector3(0, 1, 0).cross(normal);
  if (right.lengthSq() < 1e-6) right.set(1, 0, 0);
  right.normalize();
  const up = normal.clone().cross(right);
  const [width, height] = size;
  const samples: Light["samples"] = [];
  const steps = 6;
  for (let i = 0; i < steps; i++) {
    for (let j = 0; j < steps; j++) {
      const point = centre
        .clone()
        .addScaledVector(right, ((i + 0.5) / steps - 0.5) * width)
        .addScaledVector(up, ((j + 0.5) / steps - 0.5) * height);
      const distance = point.length();
      point.divideScalar(distance);
      const angle = ((width * height) / steps ** 2) * (Math.max(0, point.dot(normal)) / distance ** 2);
      samples.push({ x: point.x, y: point.y, z: point.z, angle });
    }
  }
  return { centre, normal, right, up, halfWidth: width / 2, halfHeight: height / 2, color: new Color(color).multiplyScalar(intensity), samples };
}

/** The direction that a place on a face stands for; u and v from -1 to 1. */
function direction(face: number, u: number, v: number, out: Vector3): Vector3 {
  switch (face) {
    case 0:
      return out.set(1, v, u).normalize();
    case 1:
      return out.set(-u, 1, -v).normalize();
    case 2:
      return out.set(-u, v, 1).normalize();
    case 3:
      return out.set(-1, v, -u).normalize();
    case 4:
      return out.set(-u, -1, v).normalize();
    default:
      return out.set(u, v, -1).normalize();
  }
}

/** How sharp the mirror image is: the exponent of the lobe that a surface of this roughness gathers light with. */
function exponent(rough: number): number {
  const alpha = rough * rough;
  return 1 + Math.max(0, (2 / (alpha * alpha) - 2) / 4);
}

/** A smooth step as wide as the blur: how much of a blurred half plane covers this place. */
function coverage(place: number, blur: number): number {
  return 0.5 * (1 + Math.tanh((1.2 * place) / blur));
}

/** A panel seen in a nearly smooth surface: its outline, blurred. */
function sharp(light: Light, towards: Vector3, blur: number): number {
  const facing = towards.dot(light.normal);
  if (facing < 0.02) return 0;
  const distance = light.centre.dot(light.normal) / facing;
  const x = towards.dot(light.right) * distance - light.centre.dot(light.right);
  const y = towards.dot(light.up) * distance - light.centre.dot(light.up);
  const width = Math.max(blur * distance, 0.02);
  const across = coverage(x + light.halfWidth, width) - coverage(x - light.halfWidth, width);
  const upright = coverage(y + light.halfHeight, width) - coverage(y - light.halfHeight, width);
  return across * upright;
}

/** A panel as a rough surface gathers it. */
function soft(light: Light, towards: Vector3, power: number): number {
  let sum = 0;
  for (const { x, y, z, angle } of light.samples) {
    const cosine = towards.x * x + towards.y * y + towards.z * z;
    if (cosine > 0) sum += cosine ** power * angle;
  }
  return (sum * (power + 1)) / (2 * Math.PI);
}

export function studioMap(panels: Panel[], room: ColorRepresentation): DataTexture {
  const lights = panels.map(toLight);
  const walls = new Color(room);
  const data = new Uint16Array(WIDTH * HEIGHT * 4);
  const towards = new Vector3();
  for (let level = -2; level <= SHARPEST; level++) {
    const size = 2 ** Math.max(level, SMALLEST);
    const left = level < SMALLEST ? (SMALLEST - level) * 3 * 2 ** SMALLEST : 0;
    const bottom = 4 * (2 ** SHARPEST - size);
    const rough = roughness[level] ?? 1;
    const power = exponent(rough);
    const blur = 1 / Math.sqrt(power);
    for (let face = 0; face < 6; face++) {
      const x0 = left + (face % 3) * size;
      const y0 = bottom + (face > 2 ? size : 0);
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          // Faces have a border of one pixel, so that filtering does not see the neighbour in the picture.
          direction(face, ((x - 0.5) / (size - 2)) * 2 - 1, ((y - 0.5) / (size - 2)) * 2 - 1, towards);
          const shade = 0.75 + 0.25 * towards.y;
          let [red, green, blue] = [walls.r * shade, walls.g * shade, walls.b * shade];
          for (const light of lights) {
            const seen = level < 3 ? soft(light, towards, power) : sharp(light, towards, blur);
            red += light.color.r * seen;
            green += light.color.g * seen;
            blue += light.color.b * seen;
          }
          const at = ((y0 + y) * WIDTH + x0 + x) * 4;
          data[at] = DataUtils.toHalfFloat(red);
          data[at + 1] = DataUtils.toHalfFloat(green);
          data[at + 2] = DataUtils.toHalfFloat(blue);
          data[at + 3] = 15360;
        }
      }
    }
  }
  const texture = new DataTexture(data, WIDTH, HEIGHT, RGBAFormat, HalfFloatType);
  texture.mapping = CubeUVReflectionMapping;
  texture.magFilter = LinearFilter;
  texture.minFilter = LinearFilter;
  texture.colorSpace = LinearSRGBColorSpace;
  texture.needsUpdate = true;
  return texture;
}
