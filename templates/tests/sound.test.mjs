// What is heard while a preview plays, as the browser's own elements play it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { embed, launch, Workspace } from "./workspace.mjs";

/** Keeps in `voices` whatever is played in a page, and tells how far each is from where `seen`, the composition's frame, has it. */
function listen() {
  window.voices = new Set();
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    window.voices.add(this);
    const playing = play.call(this);
    playing.catch((error) => console.info(`refused ${error.name}`));
    return playing;
  };
  addEventListener("unhandledrejection", ({ reason }) => console.info(`unhandled ${reason}`));
  window.heard = (name) => [...window.voices].filter(({ paused, currentSrc }) => !paused && currentSrc.endsWith(name));
  /** Seconds between where the sound is and where it belongs: a second into its file at frame 15. */
  window.drift = (name, rate) => {
    const [voice] = window.heard(name);
    if (!voice) return null;
    const [frame, at] = window.seen;
    return voice.currentTime - (frame + 15) / 30 - ((performance.now() - at) / 1000) * rate;
  };
}

// From second 0.5 to 3.5 of five, at half its volume, from its own second 1 on.
const films = {
  remotion: `import { AbsoluteFill, Html5Audio, Sequence, staticFile, useCurrentFrame } from "remotion";
export default function Composition() {
  const frame = useCurrentFrame();
  window.seen = [frame, performance.now()];
  return (
    <AbsoluteFill style={{ backgroundColor: \`rgb(\${frame}, 90, 30)\` }}>
      <Sequence from={15} durationInFrames={90}>
        <Html5Audio src={staticFile("tone.wav")} trimBefore={30} volume={() => 0.5} />
      </Sequence>
    </AbsoluteFill>
  );
}
declare global { interface Window { seen: number[] } }
`,
  theatre: `import { useCurrentFrame } from "./koda/frame";
import { Sound } from "./koda/sound";
export default function Composition() {
  const frame = useCurrentFrame();
  window.seen = [frame, performance.now()];
  return (
    <>
      <mesh position={[frame / 60 - 1, 0, 0]}><boxGeometry /><meshBasicMaterial color="#d07030" /></mesh>
      <Sound src="/tone.wav" at={0.5} until={3.5} from={1} volume={() => 0.5} />
    </>
  );
}
declare global { interface Window { seen: number[] } }
`,
};

for (const engine of ["remotion", "theatre"]) {
  describe(`the sound of a ${engine} preview`, () => {
    let browser;
    let workspace;
    let silent;
    before(async () => {
      workspace = new Workspace(engine);
      silent = workspace.read("src/Composition.tsx");
      execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "sine=440:d=10", join(workspace.root, "public/tone.wav")]);
      execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=5", "-f", "lavfi", "-i", "sine=330:d=5",
        "-c:v", "libvpx", "-b:v", "300k", "-c:a", "libopus", "-shortest", join(workspace.root, "public/clip.webm")]);
      workspace.write("src/Composition.tsx", films[engine]);
      await workspace.start();
      browser = await launch(engine, ["--autoplay-policy=no-user-gesture-required"]);
    });
    afterEach(() => workspace.write("src/Composition.tsx", films[engine]));
    after(async () => {
      await browser?.close();
      await workspace?.close();
    });

    async function open() {
      const it = await attend(browser);
      await it.said("ready");
      return it;
    }

    async function attend(from, ...scripts) {
      const it = await embed(from, workspace, listen, ...scripts);
      const frame = it.page.frames()[1];
      const heard = (condition, argument) => frame.waitForFunction(condition, argument, { polling: 20, timeout: 15_000 });
      /** The sound is where the frame has it, at this many seconds to a second, and stays there. */
      const inStep = async (rate = 1) => {
        // Early enough in the film that it is still heard when it was looked at for the last time.
        await heard((speed) => window.seen[0] < 75 && Math.abs(window.drift("tone.wav", speed) ?? 9) < 0.15, rate);
        const drifts = [];
        for (let turn = 0; turn < 7; turn++) {
          await new Promise((done) => setTimeout(done, 60));
          drifts.push(await frame.evaluate((speed) => window.drift("tone.wav", speed) ?? 9, rate));
        }
        // A frame that a busy machine draws late is late itself, and not the sound.
        const middle = drifts.toSorted((a, b) => a - b)[3];
        assert.ok(Math.abs(middle) < 0.15, `off by ${drifts.map((drift) => drift.toFixed(3)).join(", ")} s`);
      };
      const silence = () => heard(() => window.heard("").length === 0);
      return { ...it, frame, heard, inStep, silence };
    }

    test("is off until somebody asks, and then in step with the frames", async () => {
      const { page, said, tell, count, frame, inStep, silence } = await open();
      const state = await said("state", 0, { audible: true });
      assert.equal(state.sound, false);
      assert.equal(await frame.evaluate(() => window.voices.size), 0);
      await tell({ type: "sound", on: true });
      await said("state", 0, { sound: true });
      await inStep();
      await tell({ type: "sound", on: false });
      await silence();
      const from = await count();
      await said("state", from, { sound: false, playing: true });
      await page.close();
    });

    test("stands still with the picture, and is in step again after a jump and after a loop", async () => {
      const { page, said, tell, count, frame, heard, inStep, silence } = await open();
      await tell({ type: "sound", on: true });
      await inStep();
      await tell({ type: "pause" });
      await silence();
      let from = await count();
      await tell({ type: "seek", frame: 45 });
      await said("painted", from, { frame: 45 });
      assert.equal(await frame.evaluate(() => window.heard("").length), 0);
      await tell({ type: "play" });
      await inStep();
      // Beyond its end nothing is heard, and after the loop it begins again.
      from = await count();
      await tell({ type: "seek", frame: 110 });
      await tell({ type: "play" });
      await said("state", from, { playing: true });
      await heard(() => window.seen[0] > 112);
      assert.equal(await frame.evaluate(() => window.heard("").length), 0);
      await heard(() => window.seen[0] > 16 && window.seen[0] < 60);
      await inStep();
      await page.close();
    });

    test("follows speed and volume", async () => {
      const { page, tell, frame, inStep, heard } = await open();
      await tell({ type: "sound", on: true, volume: 0.5 });
      await inStep();
      const voice = () => frame.evaluate(() => window.heard("tone.wav").map(({ volume, playbackRate }) => [volume, playbackRate])[0]);
      assert.deepEqual(await voice(), [0.25, 1]);
      await tell({ type: "rate", rate: 0.5 });
      await heard(() => window.heard("tone.wav")[0]?.playbackRate === 0.5);
      await inStep(0.5);
      await tell({ type: "sound", on: true, volume: 1 });
      await heard(() => window.heard("tone.wav")[0]?.volume === 0.5);
      await tell({ type: "sound", on: true, volume: 7 });
      await tell({ type: "rate", rate: 2 });
      await heard(() => window.heard("tone.wav")[0]?.playbackRate === 2);
      assert.deepEqual(await voice(), [0.5, 2]);
      await page.close();
    });

    test("goes at the pace of the film's scenes, and holds its breath where a frame is held", async () => {
      const { page, said, tell, heard, count } = await open();
      const { durationInFrames } = workspace.manifest;
      let from = await count();
      // Written frames 30 to 89 at half their speed, and then the last of them for two seconds.
      workspace.setManifest({ durationInFrames: 180, playback: { fps: 30, durationInFrames: 150, pieces: [{ from: 0, start: 30, step: 0.5 }, { from: 120, start: 90, step: 0 }] } });
      await said("ready", from);
      await tell({ type: "sound", on: true });
      from = await count();
      await tell({ type: "seek", frame: 20 });
      await tell({ type: "play" });
      await heard(() => window.heard("tone.wav")[0]?.playbackRate === 0.5 && Math.abs(window.drift("tone.wav", 0.5)) < 0.15);
      await tell({ type: "seek", frame: 115 });
      await tell({ type: "play" });
      await said("state", from, { frame: 130, playing: true });
      await heard(() => window.heard("").length === 0);
      workspace.setManifest({ durationInFrames, playback: undefined });
      await said("state", await count(), { audible: true });
      await page.close();
    });

    test("says that there is nothing to hear where there is nothing", async () => {
      const { page, said, count } = await open();
      const from = await count();
      await said("state", 0, { audible: true });
      workspace.write("src/Composition.tsx", silent);
      await said("ready", from);
      await said("state", from, { audible: false });
      await page.close();
    });

    test("is turned on by a key of the page too", async () => {
      const { page, said, count } = await open();
      await page.mouse.click(300, 200);
      const from = await count();
      await page.keyboard.press("m");
      await said("state", from, { sound: true });
      await page.close();
    });

    test("that a browser refuses leaves the picture as it is, and is heard once a person did something", async () => {
      const strict = await launch(engine, ["--autoplay-policy=document-user-activation-required"]);
      try {
        // Whatever is evaluated in a page is taken for something that a person does: until then it tells by its console.
        const { page, lines, said, count, frame, inStep } = await attend(strict, () => {
          if (window !== top) return;
          addEventListener("message", ({ data }) => {
            if (data.type === "ready") tell({ type: "sound", on: true });
            if (data.type === "state" && data.sound && data.frame % 40 === 39) console.info(`at ${data.frame}`);
          });
          addEventListener("click", () => ["pause", "play"].map((type) => tell({ type })));
        });
        for (const end = Date.now() + 20_000; !lines.includes("at 119"); await new Promise((done) => setTimeout(done, 50))) assert.ok(Date.now() < end, lines.join());
        // It was asked for once, and not again with every frame.
        assert.deepEqual(lines.filter((text) => /refused|unhandled/.test(text)), ["refused NotAllowedError"]);
        // A click on the page around it counts: that is where the buttons are.
        await page.mouse.click(780, 440);
        await inStep();
        assert.deepEqual(await frame.evaluate(() => [window.koda.error, document.querySelectorAll("[data-koda-card]").length]), [null, 0]);
        await said("state", await count(), { sound: true, playing: true });
      } finally {
        await strict.close();
      }
    });

    if (engine === "remotion") {
      test("comes with videos that are not muted, whose frames stay exact", async () => {
        const { page, said, tell, count, frame, heard } = await open();
        let from = await count();
        workspace.write("src/Composition.tsx", clips("muted"));
        await said("ready", from);
        await said("state", from, { audible: false });
        from = await count();
        workspace.write("src/Composition.tsx", clips("volume={0.4}"));
        await said("ready", from);
        await said("state", from, { audible: true });
        await tell({ type: "sound", on: true });
        await heard(() => {
          const [voice] = window.heard("clip.webm");
          return voice?.volume === 0.4 && Math.abs(voice.currentTime - window.seen[0] / 30 - (performance.now() - window.seen[1]) / 1000) < 0.15;
        });
        from = await count();
        await tell({ type: "seek", frame: 77 });
        await said("painted", from, { frame: 77 });
        const shown = await frame.evaluate(() => [document.querySelector("video").currentTime, document.querySelector("video").paused, window.heard("").length]);
        assert.deepEqual([Math.abs(shown[0] - 77 / 30) < 0.011, ...shown.slice(1)], [true, true, 0]);
        await page.close();
      });
    }
  });
}

const clips = (how) => `import { AbsoluteFill, OffthreadVideo, staticFile, useCurrentFrame } from "remotion";
export default function Composition() {
  window.seen = [useCurrentFrame(), performance.now()];
  return <AbsoluteFill><OffthreadVideo src={staticFile("clip.webm")} ${how} /></AbsoluteFill>;
}
declare global { interface Window { seen: number[] } }
`;
