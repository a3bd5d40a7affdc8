// Files that a case gives with its words: those in assets/, and those that FFmpeg draws when they are wanted.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "assets");

const types = { ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".mp4": "video/mp4" };

const drawing = (filter) => ["-f", "lavfi", "-i", filter, "-frames:v", "1"];
const plain = (color, more) => `color=c=${color}:s=160x90:r=10:d=0.5${more ?? ""}`;

/** What FFmpeg is told, by the name of the file: each has colours that no palette of ours has. */
const made = {
  /** A blue cup with a yellow rim on nothing. */
  "cup.png": drawing("color=c=#2f6fed:s=200x240,drawbox=x=0:y=0:w=200:h=60:color=#ffd400:t=fill,format=rgba,pad=320:320:60:50:color=black@0"),
  /** Sky over land. */
  "dusk.png": drawing("color=c=#7b2d8b:s=640x360,drawbox=x=0:y=220:w=640:h=140:color=#1f6f50:t=fill"),
  /** A mood board: two colours side by side. */
  "mood.jpg": drawing("color=c=#d96c06:s=320x180,drawbox=x=160:y=0:w=160:h=180:color=#0a7d8c:t=fill"),
  /** A second of film: half of it red, half of it green. */
  "signal.mp4": ["-f", "lavfi", "-i", plain("#c8102e"), "-f", "lavfi", "-i", plain("#1e9e4a"), "-filter_complex", "concat=n=2:v=1", "-c:v", "libx264", "-pix_fmt", "yuv420p"],
};

/** A file's bytes and what kind it is. */
export async function fileNamed(name) {
  const type = types[extname(name)];
  if (!type) throw new Error(`the kind of ${name} is not known`);
  return { bytes: made[name] ? await make(name) : await readFile(join(folder, name)), type };
}

async function make(name) {
  const place = await mkdtemp(join(tmpdir(), "koda-asset-"));
  const path = join(place, name);
  try {
    const { status, stderr, error } = spawnSync("ffmpeg", ["-v", "error", ...made[name], path]);
    if (status !== 0) throw new Error(`ffmpeg does not make ${name}: ${error?.message ?? stderr}`);
    return await readFile(path);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
