// Running programs, and what their processes use.
import { spawn } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";

/** Runs a program to its end; answers what it wrote. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    let [out, said] = ["", ""];
    child.stdout.on("data", (text) => (out += text));
    child.stderr.on("data", (text) => (said += text));
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve(out) : reject(new Error(`${program} ended with ${code}: ${said.slice(-800) || out.slice(-800)}`))));
  });
}

/** The proportional set size of a process and all that it started, in bytes. */
async function used(root) {
  const parents = new Map();
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (stat) parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const belongs = (pid) => {
    for (let at = pid; at > 1; at = parents.get(at) ?? 0) if (at === root) return true;
    return false;
  };
  let bytes = 0;
  for (const pid of parents.keys()) {
    if (!belongs(pid)) continue;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    bytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
  }
  return bytes;
}

/** The most memory that a process and all that it started use until the promise settles. */
export async function peak(pid, promise) {
  let most = 0;
  let over = false;
  const watch = (async () => {
    while (!over) {
      most = Math.max(most, await used(pid));
      await new Promise((done) => setTimeout(done, 250));
    }
  })();
  try {
    return { result: await promise, bytes: most };
  } finally {
    over = true;
    await watch;
  }
}

/** Structural similarity of two videos: the least of all frames, and the mean. */
export async function similarity(one, other) {
  const stats = await run("ffmpeg", ["-v", "error", "-i", one, "-i", other, "-lavfi", "[0:v]format=yuv420p[a];[1:v]format=yuv420p[b];[a][b]ssim=stats_file=-", "-f", "null", "-"]);
  const all = [...stats.matchAll(/ All:([\d.]+)/g)].map(([, value]) => Number(value));
  return { least: Math.min(...all), mean: all.reduce((sum, value) => sum + value, 0) / all.length, frames: all.length };
}
