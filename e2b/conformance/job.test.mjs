// From a prompt to a video on the E2B path; the sandbox is killed once in the check and once in the render.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { Sandbox } from "e2b";

/** What a new sandbox of Koda's 2D template says when it shoots a frame and no Chromium can be started in it. */
async function shootOnStandby(url) {
  const sandbox = await Sandbox.create("koda-remotion-v1", { apiKey: `e2b_${"0".repeat(40)}`, apiUrl: url, sandboxUrl: url });
  const envs = { PATH: "/opt/koda:/usr/bin:/bin", KODA_PORT: "5173", KODA_STANDBY: "/home/user/.koda-standby", KODA_CHROMIUM: "/none" };
  const shot = await sandbox.commands.run("koda-capture still --frames 0 --out /tmp/shot", { cwd: "/app", envs }).catch((e) => e);
  await sandbox.kill();
  return shot.stdout ?? shot.message;
}

test("the whole job is done at E2B, killed sandboxes included", { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "koda-e2b-"));
  const out = join(folder, "out.mp4");
  const root = resolve(import.meta.dirname, "../..");
  const args = ["infra/dev/demo.mjs", "--prompt", 'Kinetic typography: "Made at E2B", 3 seconds', "--out", out];
  const env = { ...process.env, SANDBOX_PROVIDER: "e2b-emulator", KODA_DATA_DIR: folder };
  const job = spawn("node", args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const lines = [];
  let url;
  let killed = 0;
  let standby;
  const kill = async () => {
    url ??= (await readFile(join(folder, "e2b/url"), "utf8")).trim();
    const answer = await fetch(`${url}/_emulator/sandboxes`, { method: "DELETE" });
    assert.equal(answer.status, 204);
    killed += 1;
  };
  const hear = async (line) => {
    lines.push(line);
    // In the middle of the check, and in the render.
    if (/Sandbox \(e2b\): ready/.test(line) && !url) setTimeout(kill, 800);
    if (/Version 1:/.test(line)) {
      await kill();
      standby = shootOnStandby(url);
    }
  };
  for (const stream of [job.stdout, job.stderr]) createInterface({ input: stream }).on("line", hear);
  const code = await new Promise((done) => job.on("close", done));
  const said = lines.join("\n");
  assert.equal(code, 0, said);
  assert.equal(killed, 2, said);
  assert.ok(lines.filter((line) => /Sandbox \(e2b\): lost/.test(line)).length >= 1, said);
  assert.match(await standby, /"type":"stills","count":1/);
  const probe = spawnSync("ffprobe", ["-v", "error", "-show_entries", "stream=nb_frames,width,height", "-of", "csv=p=0", out], { encoding: "utf8" });
  assert.match(probe.stdout, /^1280,720,(72|90)/, probe.stdout + said);
  await rm(folder, { recursive: true, force: true });
});
