// A model server that says what a case's script says, over the wire of a provider.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const wires = {
  anthropic: ({ url, key }) => ({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url }),
  openai: ({ url, key }) => ({ OPENAI_API_KEY: key, OPENAI_BASE_URL: `${url}/v1` }),
};

/** `{ $repeat: [text, count] }` stands for the text so many times. */
function written(value) {
  if (Array.isArray(value)) return value.map(written);
  if (value === null || typeof value !== "object") return value;
  if (value.$repeat) return value.$repeat[0].repeat(value.$repeat[1]);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, written(inner)]));
}

/** Starts it; `environment` is what a server is told to use it. */
export async function startModel({ script, wire = "anthropic" }) {
  const folder = await mkdtemp(join(tmpdir(), "koda-script-"));
  const file = join(folder, "script.json");
  await writeFile(file, JSON.stringify(written(script)));
  const program = join(process.env.KODA_BIN_DIR ?? join(root, "target/debug"), "model-server");
  const child = spawn(program, [file], { stdio: ["pipe", "pipe", "inherit"] });
  const failed = once(child, "error").then(([error]) => {
    throw new Error(`${program} does not start (cargo build -p koda-testkit makes it): ${error.message}`);
  });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), failed]);
  await rm(folder, { recursive: true, force: true });
  const [url, key] = line.split(" ");
  return { environment: wires[wire]({ url, key }), stop: () => child.kill() };
}
