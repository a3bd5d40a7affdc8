import type { Manifest } from "./contract";
import { captureSize, capturing, transparent } from "./environment";

export const stage = document.getElementById("stage") as HTMLElement;
if (transparent) document.documentElement.classList.add("transparent");

/** Space below the picture for the controls of a page that stands alone. */
let below = 0;

export function reserveBelow(pixels: number): void {
  below = pixels;
}

/** Gives the stage its size in CSS pixels: exactly what a driver asked for, else the largest that fits the window. */
export function fitStage(manifest: Manifest): { width: number; height: number } {
  const { width, height } = capturing ? exact(manifest) : fitted(manifest);
  const left = capturing ? 0 : Math.round((innerWidth - width) / 2);
  const top = capturing ? 0 : Math.round((innerHeight - below - height) / 2);
  Object.assign(stage.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  return { width, height };
}

function exact(manifest: Manifest) {
  const width = captureSize.width ?? (captureSize.height ? Math.round((captureSize.height * manifest.width) / manifest.height) : manifest.width);
  const height = captureSize.height ?? Math.round((width * manifest.height) / manifest.width);
  return { width, height };
}

function fitted(manifest: Manifest) {
  const scale = Math.min(innerWidth / manifest.width, Math.max(1, innerHeight - below) / manifest.height);
  return { width: Math.max(1, Math.round(manifest.width * scale)), height: Math.max(1, Math.round(manifest.height * scale)) };
}
