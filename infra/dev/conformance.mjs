// Runs every adapter through its seam's conformance suite and writes what came out: node infra/dev/conformance.mjs BIN OUT.json
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

const [bin, out] = process.argv.slice(2);
if (!bin || !out) {
  process.stderr.write("usage: conformance.mjs BIN OUT.json\n");
  process.exit(2);
}

/** Seam, adapter, crate, test, and part of the test, of the suites that cargo runs. */
const SUITES = [
  ["session_store", "sqlite", "koda-store", "sqlite"],
  ["session_store", "dynamodb (dynoxide)", "koda-store", "dynamo", "emulated::"],
  ["session_store", "dynamodb (DynamoDB Local)", "koda-store", "dynamo", "amazons::"],
  ["session_store", "dynamodb (dynoxide, over a faulty network)", "koda-store", "dynamo", "faulty::"],
  ["object_store", "local", "koda-objects", "local"],
  ["object_store", "s3 (s3s-fs)", "koda-objects", "s3"],
  ["sandbox_provider", "local", "koda-sandbox", "local"],
  ["sandbox_provider", "e2b (emulator)", "koda-sandbox", "e2b"],
  ["e2b_protocol", "e2b-client", "e2b-emulator", "client"],
];

function run(command, args) {
  process.stderr.write(`▸ ${command} ${args.join(" ")}\n`);
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  return `${stdout}\n${stderr}`;
}

/** The number before or after a word, added up; nothing said is nothing counted. */
const sum = (text, pattern, value = Number) => [...text.matchAll(pattern)].reduce((total, [, found]) => total + value(found), 0);

const rows = SUITES.map(([seam, adapter, crate, test, part]) => {
  const said = run("cargo", ["test", "--locked", "-p", crate, "--test", test, ...(part ? [part] : [])]);
  const count = (word) => sum(said, new RegExp(`test result: .*?(\\d+) ${word}`, "g"));
  // A second process of a test of its own is no test that was left out.
  const skipped = count("ignored") - sum(said, /ignored, (started by other tests)/g, () => 1);
  return { seam, adapter, passed: count("passed"), failed: count("failed"), skipped, said };
});
const lists = run("e2b/conformance/run.sh", [bin, "lists"]);
rows.push(
  { seam: "e2b_protocol", adapter: "npm e2b", passed: sum(lists, /ℹ pass (\d+)/g), failed: sum(lists, /ℹ fail (\d+)/g), skipped: sum(lists, /ℹ skipped (\d+)/g), said: lists },
  { seam: "e2b_protocol", adapter: "PyPI e2b", passed: sum(lists, /(\d+) passed/g), failed: sum(lists, /(\d+) (?:failed|error)/g), skipped: sum(lists, /(\d+) skipped/g), said: lists },
);

const broken = rows.filter(({ passed, failed }) => failed > 0 || passed === 0);
for (const { seam, adapter, said } of broken) process.stderr.write(`${said}\n✗ ${seam}: ${adapter}\n`);
for (const row of rows) delete row.said;
await mkdir(dirname(out), { recursive: true });
await writeFile(out, `${JSON.stringify(rows, null, 2)}\n`);
console.table(rows);
process.exit(broken.length > 0 ? 1 : 0);
