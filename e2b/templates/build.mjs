// Builds Koda's templates at E2B: `node build.mjs [remotion] [theatre] [--bin DIR] [--tag TAG]`.
// Without E2B_API_KEY it prints what it would do.
import { cp, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Template, defaultBuildLogger } from "e2b";
import { TEMPLATES, definition } from "./definition.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PROGRAMS = ["koda-sandboxd", "koda-capture"];
/** What of a template stays here: packages are installed there, the rest is for development. */
const NOT_COPIED = new Set(["node_modules", "dist", "tests", ".vite-cache", ".koda"]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bin: { type: "string", default: join(ROOT, "target/e2b-bin") },
    out: { type: "string", default: join(ROOT, "target/e2b") },
    tag: { type: "string" },
  },
});
const engines = positionals.length > 0 ? positionals : Object.keys(TEMPLATES);
for (const engine of engines) {
  if (!Object.hasOwn(TEMPLATES, engine)) fail(`There is no engine ${engine}; there are ${Object.keys(TEMPLATES).join(" and ")}.`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Lays out what goes up for one engine, the same bytes every time. */
async function layOut(engine) {
  const context = join(values.out, engine);
  await rm(context, { recursive: true, force: true });
  await mkdir(join(context, "koda"), { recursive: true });
  const top = join(ROOT, "templates", engine);
  await cp(top, join(context, "app"), {
    recursive: true,
    preserveTimestamps: true,
    filter: (from) => !NOT_COPIED.has(from.slice(top.length + 1).split("/")[0]),
  });
  for (const name of PROGRAMS) {
    await cp(join(values.bin, name), join(context, "koda", name), { preserveTimestamps: true }).catch(() =>
      fail(`${name} is not in ${values.bin}; run \`make e2b-templates\`, which builds it.`),
    );
  }
  for (const name of ["start.sh", "ready.sh", "orders.json"]) {
    await cp(join(import.meta.dirname, name), join(context, "koda", name), { preserveTimestamps: true });
  }
  return context;
}

async function sizeOf(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function describe(engine, template, context) {
  const { name, cpuCount, memoryMB } = TEMPLATES[engine];
  process.stdout.write(`${name}: ${cpuCount} cores, ${memoryMB} MiB, ${await sizeOf(context)} to upload\n`);
  process.stdout.write(`${Template.toDockerfile(template).replace(/^/gm, "  ").trimEnd()}\n\n`);
}

for (const engine of engines) {
  const context = await layOut(engine);
  const template = definition(context);
  const { name, cpuCount, memoryMB } = TEMPLATES[engine];
  if (!process.env.E2B_API_KEY) {
    await describe(engine, template, context);
    continue;
  }
  const began = Date.now();
  process.stderr.write(`▸ Building ${name}\n`);
  const log = process.env.E2B_BUILD_LOG === "quiet" ? undefined : defaultBuildLogger();
  const tags = values.tag ? [values.tag] : undefined;
  const built = await Template.build(template, name, { cpuCount, memoryMB, tags, onBuildLogs: log }).catch((error) =>
    fail(`${name} could not be built: ${error.message}`),
  );
  process.stdout.write(`${name} ${built.templateId} build ${built.buildId} in ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
}
if (!process.env.E2B_API_KEY) {
  process.stdout.write("E2B_API_KEY is not set, so nothing was built. With it, `make e2b-templates` uploads and builds the above.\n");
}
