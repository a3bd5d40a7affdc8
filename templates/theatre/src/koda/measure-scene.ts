import type { RootState } from "@react-three/fiber";
import { Box3, Vector3, type Object3D } from "three";
import type { Manifest, Measurement, MeasuredText } from "./contract";

/** Texts in the scene say here what they are, so that the check can tell whether they are in the picture. */
const texts = new Map<Object3D, string>();

export function registerText(object: Object3D, text: string): () => void {
  texts.set(object, text);
  return () => {
    texts.delete(object);
  };
}

export function measureScene({ camera }: RootState, { width, height }: Manifest): Measurement {
  const found: MeasuredText[] = [];
  const corner = new Vector3();
  for (const [object, text] of texts) {
    if (!shown(object)) continue;
    object.updateWorldMatrix(true, true);
    const box = new Box3();
    // Letters that are still as good as invisible do not count.
    for (const letter of object.children) if (shown(letter)) box.union(new Box3().setFromObject(letter, true));
    if (box.isEmpty()) continue;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let index = 0; index < 8; index++) {
      corner.set(index & 1 ? box.max.x : box.min.x, index & 2 ? box.max.y : box.min.y, index & 4 ? box.max.z : box.min.z).project(camera);
      left = Math.min(left, ((corner.x + 1) / 2) * width);
      right = Math.max(right, ((corner.x + 1) / 2) * width);
      top = Math.min(top, ((1 - corner.y) / 2) * height);
      bottom = Math.max(bottom, ((1 - corner.y) / 2) * height);
    }
    const round = (value: number) => Math.round(value * 10) / 10;
    found.push({
      text,
      x: round(left),
      y: round(top),
      width: round(right - left),
      height: round(bottom - top),
      clipped: false,
      outOfFrame: left < -1 || top < -1 || right > width + 1 || bottom > height + 1,
      opacity: 1,
      fontSize: round(bottom - top),
      contrast: null,
    });
  }
  return { texts: found };
}

function shown(object: Object3D): boolean {
  for (let current: Object3D | null = object; current; current = current.parent) {
    if (!current.visible || Math.abs(current.scale.x) < 0.02) return false;
  }
  return true;
}
