// A transition that most browsers cannot draw: a fade in the preview, which says so, and the effect in the film, by Remotion's own renderer.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import {
  api,
  begin,
  logOf,
  openPage,
  probe,
  shoot,
  startBrowser,
  startModel,
  startServer,
} from "./support.mjs";

const COMPOSITION = `import { AbsoluteFill } from "remotion";
import { linearTiming, TransitionSeries } from "@remotion/transitions";
import { crosswarp } from "@remotion/transitions/crosswarp";
import { design } from "./design";

const scene = (background: string, word: string) => (
  <AbsoluteFill style={{ background, color: design.colors.text, fontSize: 200, alignItems: "center", justifyContent: "center" }}>{word}</AbsoluteFill>
);

export default function Composition() {
  return (
    <TransitionSeries>
      <TransitionSeries.Sequence durationInFrames={36}>{scene("#c00000", "one")}</TransitionSeries.Sequence>
      <TransitionSeries.Transition presentation={crosswarp({})} timing={linearTiming({ durationInFrames: 12 })} />
      <TransitionSeries.Sequence durationInFrames={36}>{scene("#0000c0", "two")}</TransitionSeries.Sequence>
    </TransitionSeries>
  );
}
`;
const SCRIPT = [
  {
    say: "Here is a plan.",
    call: [
      {
        name: "propose_plan",
        input: {
          title: "One and two",
          summary: "One scene warps into the other.",
          engine: "remotion",
          scenes: [{ title: "Both", description: "One warps into two.", duration_seconds: 2 }],
          design: {
            colors: {
              background: "#101020",
              primary: "#ffffff",
              accent: "#ffffff",
              text: "#ffffff",
            },
            fonts: {},
            mood: "calm",
          },
        },
      },
    ],
  },
  {
    say: "I write both scenes.",
    call: [
      { name: "write_file", input: { path: "src/Composition.tsx", content: COMPOSITION } },
      { name: "still", input: { frames: [30] } },
    ],
  },
  { call: [{ name: "finish", input: { summary: "One warps into two" } }] },
  {
    say: "A fade it is.",
    call: [
      {
        name: "write_file",
        input: {
          path: "src/Composition.tsx",
          content: COMPOSITION.replaceAll("crosswarp", "fade"),
        },
      },
    ],
  },
  { call: [{ name: "finish", input: { summary: "One fades into two" } }] },
];

/** Red and blue of a frame, on the left and on the right. */
function sides(file, frame) {
  const raw = execFileSync(
    "ffmpeg",
    `-v error -i ${file} -vf select=eq(n\\,${frame}) -frames:v 1 -f rawvideo -pix_fmt rgb24 -`.split(
      " ",
    ),
    { maxBuffer: 2 ** 24 },
  );
  return [0.1, 0.9].map((share) => {
    const at = (100 * 1280 + Math.round(share * 1280)) * 3;
    return [raw[at], raw[at + 2]];
  });
}

test("an effect that a viewer's browser cannot draw is in the film, and everybody is told", {
  timeout: 240_000,
}, async (t) => {
  const model = await startModel(SCRIPT);
  const server = await startServer(model.environment);
  const browser = await startBrowser();
  t.after(async () => {
    await browser.close();
    await server.stop();
    await model.stop();
  });
  const problems = [];
  const page = await openPage(browser, problems);
  await page.goto(server.url);
  const box = await begin(page, "One scene warps into the other");
  await page.getByRole("button", { name: /^Approve/ }).click({ timeout: 60_000 });
  await page.getByText("Version 1").first().waitFor({ timeout: 120_000 });

  // The agent that asked for a frame was shown it.
  const [project] = (await api(server, "GET", "/api/v1/projects")).items;
  const [session] = (await api(server, "GET", `/api/v1/projects/${project.id}/sessions`)).items;
  const looked = (await logOf(server, session.id)).find(
    ({ type, name }) => type === "tool_finished" && name === "still",
  );
  assert.ok(
    looked.output.some(({ type }) => type === "image"),
    JSON.stringify(looked),
  );

  // The preview plays, with a fade in the effect's place.
  const badge = page.getByText("Some effects show in exports only").first();
  await badge.waitFor({ timeout: 60_000 });
  const frame = page.frameLocator("iframe").first();
  await frame.getByText("two", { exact: true }).first().waitFor({ timeout: 30_000 });
  await shoot(page, "effects-1-preview");

  await page.getByRole("button", { name: "Export" }).first().click();
  const studio = page.getByRole("dialog");
  await studio.getByText("720p").first().click();
  await studio.getByRole("button", { name: "Export", exact: true }).click();
  const link = studio.getByRole("link", { name: /Download/ });
  await link.waitFor({ timeout: 180_000 });
  await studio.getByText(/Drawn by Remotion's own renderer/).waitFor();
  await shoot(page, "effects-2-exported");
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const file = join(server.data, "effects.mp4");
  await download.saveAs(file);
  const { frames, width, height } = probe(file);
  assert.deepEqual([frames, width, height], [60, 1280, 720]);

  const near = (seen, wanted) => seen.every((value, n) => Math.abs(value - wanted[n]) < 12);
  const [RED, BLUE] = [
    [0xc0, 0],
    [0, 0xc0],
  ];
  assert.ok(
    sides(file, 20).every((side) => near(side, RED)),
    `${sides(file, 20)}`,
  );
  assert.ok(
    sides(file, 50).every((side) => near(side, BLUE)),
    `${sides(file, 50)}`,
  );
  // It comes from one side: a fade would be the same on both.
  const [left, right] = sides(file, 30);
  assert.ok(Math.abs(left[0] - right[0]) > 100, `${left} and ${right}`);

  // What every browser draws is shown as it is, and nothing more is said.
  await studio.getByRole("button", { name: "Close the studio" }).click();
  await box.fill("Let it fade instead");
  await box.press("Enter");
  await page.getByText("Version 2").first().waitFor({ timeout: 120_000 });
  await badge.waitFor({ state: "hidden", timeout: 30_000 });
  await frame.getByText("two", { exact: true }).first().waitFor({ timeout: 30_000 });
  assert.deepEqual(problems, []);
});
