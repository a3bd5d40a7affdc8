// Puts what was measured of renders and previews beside the rest, as rows of one kind: {name, size, koda, peer, peer_name, unit, ratio,
// ssim?, peak_rss_mb?}. Usage: merge.mjs FOLDER with bench.json, bench-render.json and bench-preview.json.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
if (!folder) {
  process.stderr.write("usage: merge.mjs FOLDER\n");
  process.exit(2);
}
const read = async (name) => JSON.parse(await readFile(join(folder, name), "utf8"));

/** Remotion's renderer with what it would choose by itself, and in high with Koda's own preset and CRF; else a screenshot for each frame. */
const peers = (row, quality) => {
  const high = quality === "high" ? "High" : "";
  return [
    [`remotion${high}`, "@remotion/renderer", row[`ssim_${quality}_to_drawn`]],
    [`screenshots${high}`, "puppeteer and FFmpeg", quality === "standard" ? (row.ssim_to_screenshots ?? row.ssim_least) : undefined],
  ].filter(([key]) => row[`${key}_fps`]);
};

const rendered = (row) =>
  ["draft", "standard", "high"].flatMap((quality) =>
    peers(row, quality).map(([key, peer_name, ssim]) => {
      const [koda, peer] = [row[`${quality}_fps`], row[`${key}_fps`]];
      const measured = { name: `render ${row.scene}, ${quality}`, size: row.size, koda, peer, peer_name, unit: "frames/s", ratio: Number((koda / peer).toFixed(2)) };
      return { ...measured, ...(ssim ? { ssim } : {}), ...(row[`${quality}_mb`] ? { peak_rss_mb: row[`${quality}_mb`] } : {}) };
    }),
  );

const rows = [...(await read("bench.json")), ...(await read("bench-render.json")).flatMap(rendered), ...(await read("bench-preview.json"))];
await writeFile(join(folder, "bench.json"), `${JSON.stringify(rows, null, 2)}\n`);
