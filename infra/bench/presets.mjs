// What each format and quality costs and keeps: megabytes for ten seconds, likeness to the frames before they were encoded (SSIM, the
// least of all frames and the mean), and seconds to make. Prints a table for the documentation.
// Usage: presets.mjs KODA_CAPTURE; RECIPES=title-card SIZES=720 FRAMES=90 choose.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { makeRecipe } from "./scenes.mjs";
import { run } from "./tools.mjs";

const [program] = process.argv.slice(2);
if (!program) {
  process.stderr.write("usage: presets.mjs KODA_CAPTURE\n");
  process.exit(2);
}
const { RECIPES = "title-card,kinetic-typography,particles", SIZES = "720,1080", FRAMES = "90" } = process.env;
const frames = Number(FRAMES);
const scratch = await mkdtemp(join(tmpdir(), "koda-presets-"));
const presets = [
  ["mp4", "draft"],
  ["mp4", "standard"],
  ["mp4", "high"],
  ["webm", "draft"],
  ["webm", "standard"],
  ["webm", "high"],
  ["gif", "standard"],
  ["mov", "standard"],
];

/** Renders, and answers the last line. */
async function render(folder, out, height, more) {
  const child = spawn(resolve(program), ["render", "--app", folder, "--out", out, "--width", `${(height * 16) / 9}`, "--height", `${height}`, "--to", `${frames}`, ...more], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, KODA_PORT: "1" } });
  let said = "";
  for await (const chunk of child.stdout) said += chunk;
  const last = JSON.parse(said.trim().split("\n").at(-1));
  if (last.type !== "rendered") throw new Error(last.message);
  return last;
}

/** Likeness to frames as PNG files, on the planes that video holds. */
async function likeness(film, pictures) {
  const clock = "settb=1/30,setpts=N,format=yuv420p";
  const graph = `[1:v]scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,${clock}[made];[0:v]scale=out_color_matrix=bt709:out_range=tv,${clock}[film];[film][made]ssim=stats_file=-`;
  const stats = await run("ffmpeg", ["-v", "error", "-i", film, "-framerate", "30", "-i", join(pictures, "frame_%05d.png"), "-lavfi", graph, "-f", "null", "-"]);
  const all = [...stats.matchAll(/ All:([\d.]+)/g)].map(([, value]) => Number(value));
  if (all.length !== frames) throw new Error(`${all.length} frames were compared`);
  return { least: Math.min(...all), mean: all.reduce((sum, value) => sum + value, 0) / frames };
}

try {
  process.stdout.write(`| | size | format | MB for 10 s | SSIM mean | least | seconds for ${frames} frames |\n|---|---|---|---|---|---|---|\n`);
  for (const recipe of RECIPES.split(",")) {
    const folder = join(scratch, recipe);
    await makeRecipe(folder, recipe);
    for (const height of SIZES.split(",").map(Number)) {
      const pictures = join(scratch, `${recipe}-${height}`);
      await mkdir(pictures);
      await render(folder, join(scratch, "frames.zip"), height, ["--format", "png"]);
      await run("unzip", ["-q", "-o", join(scratch, "frames.zip"), "-d", pictures]);
      for (const [format, quality] of presets) {
        const film = join(scratch, `film.${format}`);
        const { seconds } = await render(folder, film, height, ["--quality", quality]);
        const { mean, least } = await likeness(film, pictures);
        const megabytes = ((await stat(film)).size / 1e6 / (frames / 30)) * 10;
        process.stdout.write(`| ${recipe} | ${height}p | ${format} ${quality} | ${megabytes.toFixed(2)} | ${mean.toFixed(4)} | ${least.toFixed(4)} | ${seconds.toFixed(1)} |\n`);
      }
      await rm(pictures, { recursive: true });
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
