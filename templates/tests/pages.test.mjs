import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { embed, launch, openCapture, shoot, templates, Workspace } from "./workspace.mjs";

const sources = {
  remotion: {
    composition: (body, imports = "") => `import { AbsoluteFill, useCurrentFrame } from "remotion";\n${imports}\nexport default function Composition() {\n  const frame = useCurrentFrame();\n  ${body}\n}\n`,
    picture: 'return <AbsoluteFill style={{ backgroundColor: `rgb(${frame * 2}, 90, 30)` }} />;',
  },
  theatre: {
    composition: (body, imports = "") => `import { useCurrentFrame } from "./koda/frame";\n${imports}\nexport default function Composition() {\n  const frame = useCurrentFrame();\n  ${body}\n}\n`,
    picture: "return <mesh position={[frame / 60 - 1, 0, 0]}><boxGeometry args={[2, 2, 2]} /><meshBasicMaterial color=\"#d07030\" /></mesh>;",
  },
};

for (const engine of ["remotion", "theatre"]) {
  const { composition, picture } = sources[engine];

  describe(`a ${engine} page`, () => {
    let browser;
    let workspace;
    const original = {};
    before(async () => {
      workspace = await new Workspace(engine).start();
      browser = await launch(engine);
      for (const file of ["src/Composition.tsx", "src/design.ts", "koda.json"]) original[file] = workspace.read(file);
    });
    // A test that fails half way leaves nothing to the next one.
    afterEach(() => {
      for (const [file, text] of Object.entries(original)) if (workspace.read(file) !== text) workspace.write(file, text);
      workspace.manifest = JSON.parse(original["koda.json"]);
    });
    after(async () => {
      await browser?.close();
      await workspace?.close();
    });

    test("obeys its transport", async () => {
      const { page, said, tell, count, all } = await embed(browser, workspace);
      const ready = await said("ready");
      assert.deepEqual(ready.info, { engine, title: "Untitled", width: 1920, height: 1080, fps: 30, durationInFrames: 150 });
      await said("state", 0, { playing: true });
      let from = await count();
      await tell({ type: "seek", frame: 77 });
      await said("state", from, { frame: 77, playing: false });
      await said("painted", from, { frame: 77 });
      from = await count();
      await tell({ type: "seek", frame: 100000 });
      await said("painted", from, { frame: 149 });
      await tell({ type: "loop", on: false });
      await tell({ type: "rate", rate: 100 });
      await said("state", from, { loop: false, rate: 4 });
      // Played from the last frame without looping, it starts over and stops at the end.
      from = await count();
      await tell({ type: "toggle" });
      await said("state", from, { playing: true });
      await said("state", from, { playing: false, frame: 149 });
      const frames = (await all()).slice(from).filter(({ type, playing }) => type === "state" && playing).map(({ frame }) => frame);
      assert.deepEqual(frames, frames.toSorted((a, b) => a - b));
      from = await count();
      await tell({ type: "hello" });
      await said("ready", from);
      await said("state", from);
      from = await count();
      await page.mouse.click(300, 200);
      await page.keyboard.press("ArrowLeft");
      await said("state", from, { frame: 148 });
      await page.keyboard.press(" ");
      await said("state", from, { playing: true });
      await tell({ type: "pause" });
      // Every command is answered, also one that changes nothing, and says by its number that it was heard.
      await said("state", 0, { playing: false, heard: 0 });
      from = await count();
      await tell({ type: "pause", n: 7 });
      await said("state", from, { playing: false, heard: 7 });
      await tell({ type: "seek", frame: 12, n: 8 });
      assert.equal((await said("painted", from, { frame: 12 })).heard, 8);
      await page.close();
    });

    test("comes up although it is told to show a frame before it has one", async () => {
      const early = () => {
        if (window !== top) return;
        const beat = setInterval(() => {
          if (window.said?.some(({ type }) => type === "ready")) clearInterval(beat);
          else window.tell?.({ type: "seek", frame: 5 });
        }, 5);
      };
      const { page, said, tell } = await embed(browser, workspace, early);
      await said("ready");
      await tell({ type: "seek", frame: 77 });
      await said("painted", 0, { frame: 77 });
      await page.close();
    });

    test("takes a new manifest, and keeps its frame", async () => {
      const { page, said, tell, count } = await embed(browser, workspace);
      await said("ready");
      await tell({ type: "seek", frame: 60 });
      await said("painted", 0, { frame: 60 });
      let from = await count();
      workspace.setManifest({ width: 1080, height: 1920, fps: 60, durationInFrames: 240, title: "Tall" });
      const { info } = await said("ready", from);
      assert.deepEqual(info, { engine, title: "Tall", width: 1080, height: 1920, fps: 60, durationInFrames: 240 });
      await said("state", from, { frame: 60, playing: false });
      const box = await page.frames()[1].evaluate(() => window.koda.stage.getBoundingClientRect().toJSON());
      assert.ok(Math.abs(box.width / box.height - 1080 / 1920) < 0.01 && box.height > 400);
      from = await count();
      workspace.setManifest({ width: 1920, height: 1080, fps: 30, durationInFrames: 50, title: "Untitled" });
      await said("state", from, { frame: 49 });
      workspace.setManifest({ durationInFrames: 150 });
      await said("ready", from + 1);
      await page.close();
    });

    test("notices every change, one by one and in bursts", async () => {
      const { page, said, count } = await embed(browser, workspace);
      await said("ready");
      const design = workspace.read("src/design.ts");
      const titled = (title) => workspace.write("src/design.ts", design.replace(/"title": ".*?"/, `"title": "${title}"`));
      const shown = (title) => page.frames()[1].waitForFunction((text) => window.koda.measure().texts.some((found) => found.text.includes(text)), title, { polling: 20 });
      for (let turn = 0; turn < 8; turn++) {
        const from = await count();
        titled(`Turn ${turn}`);
        await said("ready", from);
        await shown(`Turn ${turn}`);
      }
      for (let burst = 0; burst < 6; burst++) {
        for (let turn = 0; turn < 12; turn++) {
          titled(`Burst ${burst} ${turn}`);
          workspace.setManifest({ durationInFrames: 90 + burst * 12 + turn });
          if (turn % 4 === 3) await new Promise((done) => setTimeout(done, burst * 7));
        }
        await shown(`Burst ${burst} 11`);
        await page.frames()[1].waitForFunction((frames) => window.koda.info.durationInFrames === frames, 90 + burst * 12 + 11, { polling: 20 });
      }
      await page.close();
    });

    test("shows what was written while it loaded, before anybody could tell it", async () => {
      const page = await browser.newPage();
      let connect;
      // Awaited before the page is loaded: a socket that is opened earlier goes its own way.
      await page.routeWebSocket(/.*/, (socket) => new Promise((done) => (connect = () => done(socket.connectToServer()))));
      await page.goto(workspace.origin);
      for (const end = Date.now() + 20_000; !connect; await new Promise((done) => setTimeout(done, 20))) assert.ok(Date.now() < end, "it opened no socket");
      await page.evaluate(() => window.koda.ready);
      workspace.write("src/design.ts", workspace.read("src/design.ts").replace(/"title": ".*?"/, '"title": "Written meanwhile"'));
      workspace.setManifest({ durationInFrames: 77 });
      // Longer than it takes to notice both.
      await new Promise((done) => setTimeout(done, 1000));
      connect();
      await page.waitForFunction(() => window.koda.info.durationInFrames === 77 && window.koda.measure().texts.some(({ text }) => text.includes("Written meanwhile")));
      await page.close();
    });

    test("notices files in new folders, and files that go", async () => {
      const { page, said, count } = await embed(browser, workspace);
      await said("ready");
      let from = await count();
      mkdirSync(join(workspace.root, "src/parts/deep"), { recursive: true });
      workspace.write("src/parts/deep/far.ts", "export const far = 1;\n");
      workspace.write("src/Composition.tsx", composition(picture, 'import { far } from "./parts/deep/far";\nvoid far;'));
      await said("ready", from);
      from = await count();
      workspace.write("src/parts/deep/far.ts", "export const far = 2;\n");
      await said("ready", from);
      from = await count();
      rmSync(join(workspace.root, "src/parts"), { recursive: true });
      const gone = await said("error", from);
      assert.match(`${gone.file} ${gone.message}`, /far/);
      await page.close();
    });

    test("names file and line of what does not compile, and recovers", async () => {
      const good = workspace.read("src/Composition.tsx");
      const { page, said, count } = await embed(browser, workspace);
      await said("ready");
      let from = await count();
      workspace.write("src/Composition.tsx", composition("const x = ;\n  return null;"));
      const broken = await said("error", from);
      assert.equal(broken.file, "src/Composition.tsx");
      assert.equal(broken.line, 5);
      assert.ok(broken.message.length > 5 && broken.message.length < 300, broken.message);
      await page.frames()[1].waitForSelector("[data-koda-card]");
      from = await count();
      workspace.write("src/Composition.tsx", composition(picture, 'import { gone } from "./missing";\nvoid gone;'));
      const unresolved = await said("error", from);
      assert.equal(unresolved.file, "src/Composition.tsx");
      assert.match(unresolved.message, /missing/);
      from = await count();
      workspace.write("src/missing.ts", "export const gone = 1;\n");
      await said("error", from, { message: null });
      await said("ready", from);
      assert.equal(await page.frames()[1].locator("[data-koda-card]").count(), 0);
      workspace.write("src/Composition.tsx", good);
      await said("ready", from + 1);
      await page.close();
    });

    test("says what does not compile when it is opened, and starts when that is repaired", async () => {
      const good = workspace.read("src/Composition.tsx");
      workspace.write("src/Composition.tsx", composition("const x = ;\n  return null;"));
      const { page, said, count } = await embed(browser, workspace);
      const broken = await said("error");
      assert.equal(broken.file, "src/Composition.tsx");
      assert.equal(broken.line, 5);
      const refused = await page.frames()[1].evaluate(() => window.koda.ready.then(() => null, (error) => error.message));
      assert.equal(refused, broken.message);
      const from = await count();
      workspace.write("src/Composition.tsx", good);
      await said("ready", from);
      await said("error", from, { message: null });
      await page.close();
    });

    test("names file and line of what throws, at any frame, and recovers", async () => {
      const good = workspace.read("src/Composition.tsx");
      const { page, said, tell, count } = await embed(browser, workspace);
      await said("ready");
      await tell({ type: "seek", frame: 5 });
      await said("painted", 0, { frame: 5 });
      let from = await count();
      workspace.write("src/Composition.tsx", composition(`if (frame > 20) {\n    throw new Error("too far");\n  }\n  ${picture}`));
      await said("ready", from);
      await tell({ type: "seek", frame: 30 });
      const thrown = await said("error", from);
      assert.deepEqual({ message: thrown.message, file: thrown.file, line: thrown.line }, { message: "too far", file: "src/Composition.tsx", line: 6 });
      const refused = await page.frames()[1].evaluate(() => window.koda.show(30).then(() => null, (error) => error.message));
      assert.equal(refused, "too far");
      assert.equal(await page.frames()[1].evaluate(() => window.koda.error.message), "too far");
      from = await count();
      workspace.write("src/Composition.tsx", good);
      await said("error", from, { message: null });
      await said("ready", from);
      await said("state", from, { frame: 30 });
      assert.equal(await page.frames()[1].evaluate(() => window.koda.error), null);
      await page.close();
    });

    test("refuses frames that do not exist", async () => {
      const { page } = await openCapture(browser, workspace, 480, 270);
      for (const frame of [-1, 150, 1.5]) {
        const refused = await page.evaluate((number) => window.koda.show(number).then(() => null, (error) => error.message), frame);
        assert.match(refused, /no frame/);
      }
      await page.close();
    });

    test("plays a film at the pace that its manifest says, and its composition as it was written", async () => {
      const film = { durationInFrames: 195, playback: { fps: 60, durationInFrames: 360, pieces: paces } };
      workspace.write("src/Composition.tsx", composition(`const { fps, durationInFrames } = useVideoConfig();\n  window.seen = [frame, fps, durationInFrames];\n  ${picture}`, videoConfig[engine]));
      workspace.setManifest(film);
      const { page } = await openCapture(browser, workspace, 480, 270);
      const seen = (number) => page.evaluate((frame) => window.koda.show(frame).then(() => window.seen), number);
      // As written, half as fast, twice as fast, held; in any order.
      for (const [frame, written] of [[194, 359], [0, 0], [30, 60], [60, 120], [61, 121], [120, 180], [121, 184], [165, 359], [59, 118]]) {
        assert.deepEqual(await seen(frame), [written, 60, 360], `frame ${frame}`);
      }
      assert.deepEqual(await page.evaluate(() => [window.koda.info.fps, window.koda.info.durationInFrames]), [30, 195]);
      const refused = await page.evaluate(() => window.koda.show(195).then(() => null, (error) => error.message));
      assert.match(refused, /no frame 195/);
      await page.close();
    });

    test("stays as it was loaded while it is captured", async () => {
      const good = workspace.read("src/Composition.tsx");
      const { page } = await openCapture(browser, workspace, 480, 270);
      const before = await shoot(page, 30);
      const other = await embed(browser, workspace);
      await other.said("ready");
      const from = await other.count();
      workspace.write("src/Composition.tsx", composition(picture));
      await other.said("ready", from);
      assert.ok((await shoot(page, 30)).equals(before));
      workspace.write("src/Composition.tsx", good);
      await other.said("ready", from + 1);
      await other.page.close();
      await page.close();
    });

    test("waits for what a frame needs", async () => {
      const good = workspace.read("src/Composition.tsx");
      workspace.write("public/red.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#f00"/></svg>');
      workspace.write("src/Composition.tsx", waiting[engine]);
      const { page } = await openCapture(browser, workspace, 480, 270);
      const centre = async (frame) => {
        const png = await shoot(page, frame);
        return page.evaluate(async (base64) => {
          const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
          const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
          context.drawImage(bitmap, 0, 0);
          return [...context.getImageData(bitmap.width / 2, bitmap.height / 2, 1, 1).data.slice(0, 3)].map((value) => (value > 128 ? 1 : 0)).join("");
        }, png.toString("base64"));
      };
      for (const frame of [3, 40, 3, 41]) assert.equal(await centre(frame), "100", `frame ${frame}`);
      const refused = await page.evaluate(() => window.koda.show(120).then(() => null, (error) => error.message));
      assert.match(refused, /nowhere\.png/);
      workspace.write("src/Composition.tsx", good);
      await page.close();
    });

    test("works under the driver's clock", async (context) => {
      const script = join(templates, "capture/assets/virtual_clock.js");
      if (!existsSync(script)) return context.skip("the clock is not there");
      const page = await browser.newPage({ viewport: { width: 480, height: 270 } });
      await page.addInitScript({ content: readFileSync(script, "utf8").replace("/*KODA_CONFIG*/", "") });
      await page.goto(workspace.captureUrl(480, 270));
      await page.evaluate(() => window.koda.ready);
      const times = [];
      for (const frame of [0, 75, 149]) {
        await page.evaluate((number) => window.koda.show(number), frame);
        times.push(await page.evaluate(() => Math.round(performance.now())));
      }
      assert.deepEqual(times, [0, 2500, 4967]);
      await page.close();
    });
  });
}

const videoConfig = {
  remotion: 'import { useVideoConfig } from "remotion";',
  theatre: 'import { useVideoConfig } from "./koda/frame";',
};
/** Six seconds at 30 frames a second: two as written, one at half the speed, three at twice, and the last frame for a second. */
const paces = [
  { from: 0, start: 0, step: 2 },
  { from: 60, start: 120, step: 1 },
  { from: 120, start: 180, step: 4 },
  { from: 165, start: 360, step: 0 },
];

const waiting = {
  remotion: `import { useEffect, useState } from "react";
import { AbsoluteFill, Img, continueRender, delayRender, staticFile, useCurrentFrame } from "remotion";

export default function Composition() {
  const frame = useCurrentFrame();
  const late = frame >= 40;
  const [shown, setShown] = useState(-1);
  useEffect(() => {
    const handle = delayRender("a file");
    void fetch("/red.svg").then((response) => response.text()).then(() => {
      setShown(frame);
      continueRender(handle);
    });
  }, [frame]);
  if (frame === 120) return <Img src={staticFile("nowhere.png")} />;
  return (
    <AbsoluteFill style={{ backgroundColor: "#00f" }}>
      {late ? <AbsoluteFill style={{ backgroundImage: \`url("/red.svg?\${frame}")\` }} /> : <Img src={\`/red.svg?\${frame}\`} style={{ width: "100%", height: "100%" }} />}
      {shown === frame ? null : <AbsoluteFill style={{ backgroundColor: "#0f0" }} />}
    </AbsoluteFill>
  );
}
`,
  theatre: `import { useLoader } from "@react-three/fiber";
import { TextureLoader } from "three";
import { useCurrentFrame } from "./koda/frame";

function Picture({ url }: { url: string }) {
  const map = useLoader(TextureLoader, url);
  return (
    <mesh>
      <planeGeometry args={[20, 20]} />
      <meshBasicMaterial map={map} toneMapped={false} />
    </mesh>
  );
}

export default function Composition() {
  const frame = useCurrentFrame();
  return <Picture url={frame === 120 ? "/nowhere.png" : \`/red.svg?\${frame}\`} />;
}
`,
};
