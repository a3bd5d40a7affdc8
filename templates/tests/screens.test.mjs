// A video on a surface of a 3D scene, in the preview: it stands where the playhead stands, and moves while that moves.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { embed, launch, Workspace } from "./workspace.mjs";

const SCENE = `import "./design";
import { useVideo } from "./koda/video";

export default function Composition() {
  const picture = useVideo("/stairs.webm");
  return (
    <>
      <color attach="background" args={["#000000"]} />
      <mesh><planeGeometry args={[9, 9 / picture.aspect]} /><meshBasicMaterial map={picture} toneMapped={false} /></mesh>
    </>
  );
}
`;
const FRAMES = 90;
/** How light a frame of the video is, of 255: seconds apart it is far from what it was. */
const light = (frame) => 20 + 2 * frame;

let workspace;
let browser;
before(async () => {
  workspace = new Workspace("theatre", { manifest: { fps: 30, durationInFrames: FRAMES } });
  workspace.write("src/Composition.tsx", SCENE);
  const stairs = "geq=lum='16+(20+2*N)*219/255':cb=128:cr=128";
  const args = ["-f", "lavfi", "-i", `color=black:s=320x180:r=30:d=${FRAMES / 30}`, "-vf", `format=yuv420p,${stairs}`, "-c:v", "libvpx", "-b:v", "2M", "-g", "30"];
  execFileSync("ffmpeg", ["-v", "error", ...args, join(workspace.root, "public/stairs.webm")]);
  await workspace.start();
  browser = await launch("theatre");
});
after(async () => {
  await browser?.close();
  await workspace?.close();
});

test("a video in 3D shows the frame that the playhead is at, and follows it while the preview plays", async () => {
  const { page, said, tell, count } = await embed(browser, workspace);
  await said("ready");
  const frame = page.frames()[1];
  /** How light the middle of the scene is. */
  const seen = () =>
    frame.evaluate(() => {
      const gl = window.koda.canvas.getContext("webgl2");
      const pixel = new Uint8Array(4);
      gl.readPixels(gl.drawingBufferWidth / 2, gl.drawingBufferHeight / 2, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
      return pixel[1];
    });
  await tell({ type: "pause" });
  for (const [n, wanted] of [60, 12, 13, 89, 0].entries()) {
    const from = await count();
    await tell({ type: "seek", frame: wanted, n });
    await said("painted", from, { frame: wanted });
    const lightness = await seen();
    assert.ok(Math.abs(lightness - light(wanted)) <= 3, `frame ${wanted} is ${lightness} light`);
  }

  await tell({ type: "loop", on: false });
  for (const rate of [1, 0.5]) {
    await tell({ type: "seek", frame: 0 });
    await tell({ type: "rate", rate });
    await tell({ type: "play" });
    const passed = [];
    for (let look = 0; look < 10; look++) {
      await new Promise((done) => setTimeout(done, 150));
      passed.push(await seen());
    }
    const from = await count();
    await tell({ type: "pause" });
    assert.ok(new Set(passed).size >= 3, `at ${rate} it stood: ${passed}`);
    // Where a busy machine draws nothing for a while, it stands where it was last to be.
    const back = passed.filter((lightness, look) => look > 0 && lightness < passed[look - 1] - 30);
    assert.deepEqual(back, [], `at ${rate} it ran back: ${passed}`);
    assert.ok(passed.at(-1) > light(5) && passed.at(-1) < light(FRAMES), `at ${rate} it is nowhere: ${passed}`);

    // Where it is stopped it shows the frame of the playhead.
    const { frame: at } = await said("state", from, { playing: false });
    const stood = async () => Math.abs((await seen()) - light(at)) <= 4;
    for (let look = 0; look < 100 && !(await stood()); look++) await new Promise((done) => setTimeout(done, 50));
    assert.ok(await stood(), `frame ${at} is ${await seen()} light`);
  }
});
