import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, look, openCapture, readRecipe, recipes, shoot, sizes, templates, watch, Workspace } from "./workspace.mjs";

const wanted = process.env.RECIPES ? process.env.RECIPES.split(",") : recipes;
const out = process.env.OUT;

function frames(recipe, fps = 30, seconds = recipe.duration_seconds) {
  return { fps, durationInFrames: Math.round(seconds * fps) };
}

/** The same picture at half the layout size, which is enough to judge by. */
function half([width, height]) {
  return [Math.round(width / 2), Math.round(height / 2)];
}

for (const name of wanted) {
  const recipe = readRecipe(name);

  describe(`recipe ${name}`, () => {
    let browser;
    let workspace;
    before(async () => {
      workspace = await new Workspace(recipe.engine, { recipe: name, manifest: frames(recipe) }).start();
      browser = await launch(recipe.engine);
    });
    after(async () => {
      await browser?.close();
      await workspace?.close();
    });

    test("describes itself", () => {
      assert.equal(recipe.name, name);
      assert.ok(["remotion", "theatre"].includes(recipe.engine));
      assert.ok(recipe.title && recipe.description);
      assert.ok(recipe.keywords.length >= 5);
      assert.ok(recipe.duration_seconds >= 1 && recipe.duration_seconds <= 120);
      assert.ok(recipe.scenes.length >= 3);
      assert.ok(recipe.scenes.every(({ title, description }) => title && description));
      assert.ok(Math.abs(recipe.scenes.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
    });

    test("keeps its design in src/design.ts as strict JSON", () => {
      const text = workspace.read("src/design.ts");
      const json = /export const design = ([\s\S]*) satisfies Design;\s*$/.exec(text)?.[1];
      assert.deepEqual(JSON.parse(json), recipe.design);
    });

    test("type-checks", () => {
      const checked = spawnSync(join(templates, recipe.engine, "node_modules/.bin/tsc"), ["--noEmit"], { cwd: workspace.root, encoding: "utf8" });
      assert.equal(checked.status, 0, checked.stdout);
    });

    for (const aspect of ["16:9", "9:16"]) {
      test(`shows something at every stage in ${aspect}, and the same again`, async () => {
        const [width, height] = sizes[aspect];
        workspace.setManifest({ width, height, ...frames(recipe) });
        const { page, complaints } = await openCapture(browser, workspace, ...half(sizes[aspect]));
        const last = (await page.evaluate(() => window.koda.info.durationInFrames)) - 1;
        const shown = {};
        for (const [stage, share] of Object.entries({ first: 0, early: 0.22, middle: 0.55, late: 0.85, last: 1 })) {
          shown[stage] = await shoot(page, Math.round(last * share));
          if (!out) continue;
          mkdirSync(out, { recursive: true });
          writeFileSync(join(out, `${name}-${aspect.replace(":", "x")}-${stage}.png`), shown[stage]);
        }
        for (const stage of ["early", "middle", "late"]) {
          const { colors, spread } = await look(page, shown[stage]);
          assert.ok(colors > 20 && spread > 4, `${stage}: ${colors} colours, spread ${spread.toFixed(1)}`);
        }
        assert.ok(!shown.first.equals(shown.middle));
        assert.ok(!shown.early.equals(shown.late));
        assert.ok(!shown.middle.equals(shown.last));

        const before = await shoot(page, 40);
        const between = await shoot(page, 10);
        const again = await shoot(page, 40);
        assert.ok(before.equals(again), "frame 40 depends on what was shown before it");
        assert.ok(!before.equals(between));
        const fresh = await openCapture(browser, workspace, ...half(sizes[aspect]));
        assert.ok((await shoot(fresh.page, 40)).equals(before), "frame 40 depends on the frames before it");
        assert.deepEqual([...complaints, ...fresh.complaints], []);
        await fresh.page.close();
        await page.close();
      });
    }

    for (const [aspect, fps, seconds] of [["1:1", 24, 1], ["4:3", 60, 3], ["21:9", 25, 120]]) {
      test(`holds for ${seconds} s at ${fps} frames a second in ${aspect}`, async () => {
        const [width, height] = sizes[aspect];
        workspace.setManifest({ width, height, ...frames(recipe, fps, seconds) });
        const { page, complaints } = await openCapture(browser, workspace, ...half(sizes[aspect]));
        const last = (await page.evaluate(() => window.koda.info.durationInFrames)) - 1;
        const pictures = [];
        for (const share of [0, 0.4, 0.6, 1]) pictures.push(await shoot(page, Math.round(last * share)));
        const { colors, spread } = await look(page, pictures[2]);
        if (out) writeFileSync(join(out, `${name}-${aspect.replace(":", "x")}-${seconds}s.png`), pictures[2]);
        assert.ok(colors > 20 && spread > 4, `${colors} colours, spread ${spread.toFixed(1)}`);
        assert.ok(!pictures[0].equals(pictures[2]));
        assert.deepEqual(complaints, []);
        await page.close();
      });
    }

    test("has its title in the picture and readable in every format", async () => {
      for (const aspect of Object.keys(sizes)) {
        const [width, height] = sizes[aspect];
        workspace.setManifest({ width, height, ...frames(recipe) });
        const { page } = await openCapture(browser, workspace, ...half(sizes[aspect]));
        const last = (await page.evaluate(() => window.koda.info.durationInFrames)) - 1;
        await page.evaluate((frame) => window.koda.show(frame), Math.round(last * 0.83));
        const { texts } = await page.evaluate(() => window.koda.measure());
        const squeeze = (text) => text.replace(/\s+/g, "").toLowerCase();
        const title = texts.find(({ text }) => squeeze(text).includes(squeeze(recipe.design.title)));
        assert.ok(title, `${aspect}: only ${JSON.stringify(texts.map(({ text }) => text))}`);
        assert.equal(title.outOfFrame, false, `${aspect}: ${JSON.stringify(title)}`);
        assert.equal(title.clipped, false, aspect);
        assert.ok(title.opacity > 0.9 && title.fontSize >= 50, `${aspect}: ${JSON.stringify(title)}`);
        await page.close();
      }
    });

    test("follows a change of its design at once, on the frame that is shown", async () => {
      workspace.setManifest({ width: 1920, height: 1080, ...frames(recipe) });
      const page = await browser.newPage({ viewport: { width: 960, height: 592 } });
      const complaints = watch(page, workspace.origin);
      await page.goto(workspace.origin);
      await page.evaluate(() => window.koda.ready);
      // Two keys: pause, then look where everything stands.
      await page.keyboard.press("End");
      for (let step = 0; step < 1; step++) await page.keyboard.press("Shift+ArrowLeft");
      await page.waitForFunction(() => window.koda.measure().texts.length > 0);
      const texts = () => page.evaluate(() => JSON.stringify(window.koda.measure().texts.map(({ text }) => text.replace(/\s+/g, ""))));
      const before = await texts();
      const design = { ...recipe.design, title: "Brand new", lines: [] };
      workspace.write("src/design.ts", `import type { Design } from "./koda/design";\n\nexport const design = ${JSON.stringify(design, null, 2)} satisfies Design;\n`);
      await page.waitForFunction(() => window.koda.measure().texts.some(({ text }) => text.replace(/\s+/g, "").toLowerCase().includes("brandnew")), null, { polling: 20 });
      assert.notEqual(await texts(), before);
      assert.deepEqual(complaints, []);
      await page.close();
    });
  });
}
