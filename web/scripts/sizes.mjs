// Prints what each built file weighs, and holds the first load against its budget.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 250;
const dist = new URL("../dist/", import.meta.url).pathname;
const html = readFileSync(join(dist, "index.html"), "utf8");
const kb = (bytes) => (bytes / 1024).toFixed(1).padStart(8);

let first = 0;
const rows = readdirSync(join(dist, "assets"))
  .filter((name) => /\.(js|css)$/.test(name))
  .map((name) => {
    const bytes = readFileSync(join(dist, "assets", name));
    const zipped = gzipSync(bytes).length;
    const initial = html.includes(name);
    if (initial && name.endsWith(".js")) first += zipped;
    return { name, bytes: bytes.length, zipped, initial };
  })
  .sort((a, b) => b.zipped - a.zipped);

for (const row of rows.slice(0, 24)) {
  console.log(
    `${kb(row.bytes)} kB ${kb(row.zipped)} kB gzip  ${row.initial ? "first load" : "lazy      "}  ${row.name}`,
  );
}
if (rows.length > 24) console.log(`… and ${rows.length - 24} smaller files`);
console.log(
  `\nJavaScript of the first load: ${(first / 1024).toFixed(1)} kB gzip of ${BUDGET_KB} kB`,
);
if (first > BUDGET_KB * 1024) process.exit(1);
