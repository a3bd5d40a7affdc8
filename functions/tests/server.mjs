// A koda-server of one test's own, with throw-away data.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../../infra/dev/port.mjs";
import { until } from "./cloud.mjs";

const ROOT = resolve(import.meta.dirname, "../..");

/** Starts one with this in its environment, and waits until it answers. It ends with the test `t`, or by `stop`. */
export async function startServer(t, environment) {
  const data = await mkdtemp(join(tmpdir(), "koda-server-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const child = spawn(join(ROOT, "infra/dev/run.sh"), {
    env: { ...process.env, PORT: `${port}`, KODA_DATA_DIR: data, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  t.after(async () => {
    await end("SIGKILL");
    await rm(data, { recursive: true, force: true });
  });
  const answers = () => {
    if (child.exitCode !== null) throw new Error(`the server ended:\n${said}`);
    return fetch(`${url}/api/health`).then((r) => r.ok, () => false);
  };
  await until("the server does not answer", answers);
  return { url, said: () => said, stop: () => end("SIGTERM") };
}
