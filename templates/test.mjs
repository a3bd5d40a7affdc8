// Tests of the templates and recipes in a real browser: `npm test`, or `node test.mjs title-card` for one recipe alone.
// CHROMIUM is the browser's executable; pictures of every recipe are written to the folder OUT where it is set.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const wanted = process.argv.slice(2);
const files = wanted.length > 0 ? ["recipes"] : ["scaffolding", "pages", "sound", "screens", "media", "recipes"];
const { status } = spawnSync(
  process.execPath,
  // One after the other: each file drives a browser.
  ["--test", "--test-concurrency=1", "--test-timeout=900000", ...files.map((file) => join(import.meta.dirname, "tests", `${file}.test.mjs`))],
  { stdio: "inherit", env: { ...process.env, RECIPES: wanted.join(",") } },
);
process.exit(status ?? 1);
