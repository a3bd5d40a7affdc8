import type { Manifest } from "./contract";

/** The manifest as the composition sees it: as it was written, whatever pace it is played at. */
export function asWritten(manifest: Manifest): Manifest {
  const { playback, ...rest } = manifest;
  return playback ? { ...rest, fps: playback.fps, durationInFrames: playback.durationInFrames } : manifest;
}

/** The composition's frame at a frame of the film. */
export function writtenFrame({ playback }: Manifest, frame: number): number {
  if (!playback) return frame;
  const piece = playback.pieces.findLast(({ from }) => from <= frame);
  const at = piece ? Math.round(piece.start + (frame - piece.from) * piece.step) : 0;
  return Math.min(Math.max(0, at), playback.durationInFrames - 1);
}

/** How many seconds of the composition pass in a second of the film, at a frame of the film. */
export function paceAt({ playback, fps }: Manifest, frame: number): number {
  if (!playback) return 1;
  const piece = playback.pieces.findLast(({ from }) => from <= frame);
  return piece ? (piece.step * fps) / playback.fps : 0;
}
