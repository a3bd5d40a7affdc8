// A model server that says what a case's script says, over the wire of a provider.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const wires = {
  anthropic: ({ url, key }) => ({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url }),
  openai: ({ url, key }) => ({ OPENAI_API_KEY: key, OPENAI_BASE_URL: `${url}/v1` }),
};

/**
 * `{ $repeat: [text, count] }` stands for the text so many times; `$asset(kite.svg)` in a text for the path, below `public/`, that the
 * server gave to this upload.
 */
function written(value, paths) {
  if (typeof value === "string") return value.replace(/\$asset\(([^)]+)\)/g, (_, file) => paths.get(file) ?? `nothing-named-${file}`);
  if (Array.isArray(value)) return value.map((inner) => written(inner, paths));
  if (value === null || typeof value !== "object") return value;
  if (value.$repeat) return value.$repeat[0].repeat(value.$repeat[1]);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, written(inner, paths)]));
}

async function serve(script) {
  const folder = await mkdtemp(join(tmpdir(), "koda-script-"));
  const file = join(folder, "script.json");
  await writeFile(file, JSON.stringify(script));
  const program = join(process.env.KODA_BIN_DIR ?? join(root, "target/debug"), "model-server");
  const child = spawn(program, [file], { stdio: ["pipe", "pipe", "inherit"] });
  const failed = once(child, "error").then(([error]) => {
    throw new Error(`${program} does not start (cargo build -p koda-testkit makes it): ${error.message}`);
  });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), failed]);
  await rm(folder, { recursive: true, force: true });
  const [url, key] = line.split(" ");
  return { url, key, stop: () => child.kill() };
}

/** An address that stays while what is behind it changes. */
async function door(behind) {
  const open = new Set();
  const listener = createServer((from) => {
    const { hostname, port } = new URL(behind());
    const to = connect(Number(port), hostname);
    for (const [one, other] of [[from, to], [to, from]]) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy()).on("close", () => open.delete(one));
    }
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const stop = () => {
    listener.close();
    for (const socket of open) socket.destroy();
  };
  return { url: `http://127.0.0.1:${listener.address().port}`, stop };
}

/**
 * Starts it; `environment` is what a server is told to use it. A script that names uploads is said by a model that `name` starts anew
 * when the server has named them, and by then the server has an address already.
 */
export async function startModel({ script, wire = "anthropic" }) {
  let model = await serve(written(script, new Map()));
  if (!JSON.stringify(script).includes("$asset(")) {
    return { environment: wires[wire](model), name: () => {}, stop: () => model.stop() };
  }
  const entrance = await door(() => model.url);
  return {
    environment: wires[wire]({ url: entrance.url, key: model.key }),
    name: async (paths) => {
      model.stop();
      model = await serve(written(script, paths));
    },
    stop: () => {
      entrance.stop();
      model.stop();
    },
  };
}
