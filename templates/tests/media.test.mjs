// Sounds and videos that browsers cannot play, served as copies that they can.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, Workspace } from "./workspace.mjs";

const [width, height, rate, count] = [160, 90, 30, 24];
const color = [192, 96, 48];

/** Frames that tell their number by five bars, above a colour. */
function film(from = 0) {
  const bytes = Buffer.alloc(width * height * 3 * count);
  for (let frame = 0, at = 0; frame < count; frame++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const bar = ((frame + from) >> Math.floor((x * 5) / width)) & 1 ? 255 : 0;
        for (const part of color) bytes[at++] = y < height / 2 ? bar : part;
      }
    }
  }
  return bytes;
}

/** A second of a tone that begins after a quarter of it. */
const TONE = ["-f", "lavfi", "-i", "aevalsrc='if(gte(t,0.25),0.5*sin(2*PI*1000*t),0)':s=48000:d=0.8"];
const AS_709 = "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv".split(" ");
const HEVC = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-tag:v", "hvc1"];

/** Encodes the film; what comes before the codec is another input. */
function encode(path, filter, args, { inputs = [], from = 0 } = {}) {
  const raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`, "-r", String(rate), "-i", "pipe:0"];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...raw, ...inputs, "-vf", `format=gbrp,zscale=min=gbr:rin=full:${filter}`, ...args, path], { input: film(from) });
}

const sound = (path, ...codec) => execFileSync("ffmpeg", ["-v", "error", "-y", ...TONE, ...codec, path]);

/** Frame times in milliseconds. */
function times(path) {
  const args = ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "json", path];
  const { packets } = JSON.parse(execFileSync("ffprobe", args, { encoding: "utf8" }));
  return packets.map(({ pts_time: time }) => Number(time) * 1000).toSorted((one, other) => one - other);
}

describe("a file that browsers cannot play", () => {
  let browser;
  let page;
  let workspace;
  let log;
  const file = (name) => join(workspace.root, "public", name);
  const cache = () => join(workspace.root, ".koda/vite");
  const environment = () => ({ KODA_VITE_CACHE: cache(), KODA_FFMPEG: join(workspace.root, "ffmpeg") });
  /** The copies of a file that FFmpeg was asked for. */
  const copies = (name) => {
    const lines = readFileSync(log, "utf8").split("\n").filter((line) => line.includes(`/${name} `));
    return lines.map((line) => line.split("file:").at(-1).replace("/part-", "/"));
  };
  const folders = () => readdirSync(cache()).filter((name) => name.startsWith("koda-media-"));

  before(async () => {
    workspace = new Workspace("remotion");
    log = join(workspace.root, "ffmpeg.log");
    writeFileSync(log, "");
    // FFmpeg itself, and a list of what it was asked for.
    writeFileSync(join(workspace.root, "ffmpeg"), `#!/bin/sh\necho "$@" >> '${log}'\nexec ffmpeg "$@"\n`, { mode: 0o755 });
    const wide = "m=bt709:r=tv,format=yuv420p";
    encode(file("hevc.mov"), wide, [...HEVC, ...AS_709, "-c:a", "aac"], { inputs: TONE });
    encode(file("ten bits ü.MP4"), "m=bt709:r=tv,format=yuv420p10le", [...HEVC, ...AS_709]);
    encode(file("601.mov"), "m=smpte170m:r=tv,format=yuv420p", [...HEVC, "-colorspace", "smpte170m"]);
    const hlg = "pin=bt709:tin=bt709:p=bt709:t=linear:npl=203:m=gbr,format=gbrpf32le,zscale=pin=bt709:tin=linear:min=gbr:p=bt2020:t=arib-std-b67:npl=203:m=bt2020nc:r=tv";
    encode(file("hdr.mov"), `${hlg},format=yuv420p10le`, [...HEVC, "-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "arib-std-b67"]);
    execFileSync("ffmpeg", ["-v", "error", "-i", file("hevc.mov"), "-c", "copy", "-metadata:s:v", "rotate=90", file("turned.mov")]);
    encode(file("prores.mov"), "m=bt709:r=tv,format=yuv422p10le", ["-c:v", "prores_ks", ...AS_709, "-c:a", "pcm_s16le"], { inputs: TONE });
    encode(file("mpeg4.mp4"), "m=smpte170m:r=tv,format=yuv420p", ["-c:v", "mpeg4", "-q:v", "1"]);
    encode(file("alpha.mov"), "m=bt709:r=tv,format=gbrap,colorchannelmixer=aa=0.5,format=yuva444p10le", ["-c:v", "prores_ks", "-profile:v", "4", ...AS_709]);
    encode(file("silent.mp4"), wide, ["-c:v", "libx264", ...AS_709, "-c:a", "ac3"], { inputs: TONE });
    encode(file("h264.mp4"), wide, ["-c:v", "libx264", ...AS_709, "-c:a", "aac"], { inputs: TONE });
    sound(file("alac.m4a"), "-c:a", "alac");
    sound(file("adpcm.wav"), "-c:a", "adpcm_ms");
    sound(file("tone.mp3"), "-c:a", "libmp3lame");
    await workspace.start(environment(), "pipe");
    browser = await launch("remotion");
    page = await browser.newPage();
    await page.goto(`${workspace.origin}/koda.json`);
  });
  after(async () => {
    await browser?.close();
    await workspace?.close();
  });

  /** What a video shows at these frames: number, colour, alpha. */
  const look = (name, ...frames) =>
    page.evaluate(
      async ([source, wanted, fps]) => {
        const video = document.createElement("video");
        document.body.replaceChildren(video);
        const event = (type) => new Promise((done, failed) => {
          video.addEventListener(type, done, { once: true });
          video.addEventListener("error", () => failed(new Error(video.error.message)), { once: true });
        });
        const loaded = event("loadeddata");
        video.src = source;
        await loaded;
        const context = new OffscreenCanvas(video.videoWidth || 1, video.videoHeight || 1).getContext("2d");
        const seen = [];
        for (const frame of wanted) {
          const shown = new Promise((done) => {
            const wait = (_, { mediaTime }) => (Math.abs(mediaTime - frame / fps) < 0.5 / fps ? done() : video.requestVideoFrameCallback(wait));
            video.requestVideoFrameCallback(wait);
          });
          video.currentTime = (frame + 0.5) / fps;
          // An element has sought before its picture is there.
          await shown;
          context.clearRect(0, 0, video.videoWidth, video.videoHeight);
          context.drawImage(video, 0, 0);
          const pixel = (x, y) => [...context.getImageData(video.videoWidth * x, video.videoHeight * y, 1, 1).data];
          const number = [0, 1, 2, 3, 4].reduce((sum, bar) => sum + (pixel((bar + 0.5) / 5, 0.25)[1] > 127 ? 1 << bar : 0), 0);
          const [red, green, blue, alpha] = pixel(0.5, 0.75);
          seen.push({ number, color: [red, green, blue], alpha });
        }
        return { size: [video.videoWidth, video.videoHeight], seen, seconds: video.duration };
      },
      [`/${encodeURIComponent(name)}`, frames, rate],
    );

  /** When a sound is first heard, in seconds, and how many seconds it lasts. */
  const hear = (name) =>
    page.evaluate(async (source) => {
      const context = new OfflineAudioContext(1, 1, 48000);
      const sound = await context.decodeAudioData(await (await fetch(source)).arrayBuffer());
      return { begins: sound.getChannelData(0).findIndex((sample) => Math.abs(sample) > 0.05) / 48000, seconds: sound.duration };
    }, `/${encodeURIComponent(name)}`);

  const ask = (path, headers = {}, method = "GET") =>
    new Promise((done, failed) => {
      get(`${workspace.origin}`, { path, headers, method }, (answer) => {
        const chunks = [];
        answer.on("data", (chunk) => chunks.push(chunk));
        answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }));
      }).on("error", failed);
    });

  for (const name of ["hevc.mov", "ten bits ü.MP4", "601.mov", "hdr.mov", "prores.mov", "mpeg4.mp4", "alpha.mov"]) {
    test(`shows the right frame in the right colours: ${name}`, async () => {
      const { size, seen } = await look(name, 19, 6);
      assert.deepEqual(size, [width, height]);
      assert.deepEqual(seen.map(({ number }) => number), [19, 6]);
      for (const { color: drawn, alpha } of seen) {
        assert.ok(drawn.every((part, index) => Math.abs(part - color[index]) < 10), `${drawn}`);
        assert.ok(Math.abs(alpha - (name === "alpha.mov" ? 128 : 255)) < 3, `${alpha}`);
      }
      const copy = join(workspace.root, `copy-of-${name}`);
      writeFileSync(copy, (await ask(`/${encodeURIComponent(name)}`)).body);
      const [before, now] = [times(file(name)), times(copy)];
      assert.equal(now.length, count);
      // WebM counts milliseconds.
      assert.ok(before.every((time, index) => Math.abs(time - now[index]) < (name === "alpha.mov" ? 0.51 : 0.01)), `${now}`);
    });
  }

  test("stands upright where the phone was turned", async () => {
    assert.deepEqual((await look("turned.mov")).size, [height, width]);
  });

  test("sounds when it did, and stays without a picture where it has none", async () => {
    for (const [name, type] of [["hevc.mov", "video/mp4"], ["prores.mov", "video/mp4"], ["silent.mp4", "video/mp4"], ["alac.m4a", "audio/wav"], ["adpcm.wav", "audio/wav"]]) {
      const { begins, seconds } = await hear(name);
      assert.ok(Math.abs(begins - 0.25) < 0.002, `${name} begins at ${begins}`);
      assert.ok(Math.abs(seconds - 0.8) < 0.03, `${name} lasts ${seconds}`);
      assert.equal((await ask(`/${name}`, {}, "HEAD")).headers["content-type"], type);
    }
    assert.deepEqual((await look("alac.m4a")).size, [0, 0]);
    assert.deepEqual((await look("silent.mp4", 11)).seen[0].number, 11);
  });

  test("is served in parts, as players ask for them", async () => {
    const whole = await ask("/hevc.mov");
    assert.equal(whole.status, 200);
    const part = await ask("/hevc.mov?v=1", { range: "bytes=100-299" });
    assert.deepEqual([part.status, part.headers["content-range"]], [206, `bytes 100-299/${whole.body.length}`]);
    assert.ok(part.body.equals(whole.body.subarray(100, 300)));
    const rest = await ask("/hevc.mov", { range: "bytes=1000-" });
    assert.ok(rest.body.equals(whole.body.subarray(1000)));
    assert.equal((await ask("/hevc.mov", { range: `bytes=${whole.body.length}-` })).status, 416);
  });

  test("is told from files that play, which are served as they are", async () => {
    for (const [name, type] of [["h264.mp4", "video/mp4"], ["tone.mp3", "audio/mpeg"]]) {
      const { body, headers } = await ask(`/${name}`);
      assert.ok(body.equals(readFileSync(file(name))));
      assert.equal(headers["content-type"], type);
      assert.equal(copies(name).length, 0);
    }
    // A module that imports the address gets it.
    assert.match((await ask("/hevc.mov?import")).body.toString(), /export default/);
  });

  test("is served as it is where it is broken, and the server's log says why", async () => {
    const bytes = readFileSync(file("hevc.mov"));
    const pictures = bytes.indexOf("mdat");
    bytes.fill(0, pictures + 4, pictures + bytes.readUInt32BE(pictures - 4) - 4);
    let said = "";
    workspace.server.stderr.on("data", (chunk) => (said += chunk));
    for (const [name, content] of [["broken.mov", bytes], ["nothing.mp4", Buffer.from("no film at all")]]) {
      writeFileSync(file(name), content);
      const { status, body } = await ask(`/${name}`);
      assert.equal(status, 200);
      assert.ok(body.equals(content));
    }
    assert.match(said, /^public\/broken\.mov cannot be made playable: .+\n$/);
  });

  test("is found below public/ and nowhere else", async () => {
    const outside = join(workspace.root, "outside.mov");
    copyFileSync(file("hevc.mov"), outside);
    symlinkSync(outside, file("link.mov"));
    mkdirSync(file("folder.mov"));
    for (const path of ["/../outside.mov", "/%2e%2e/outside.mov", "/..%2foutside.mov", "/folder.mov/../../outside.mov", "/folder.mov", "/a%00b.mov", "/%ff.mov", "//hevc.mov"]) {
      assert.notEqual((await ask(path)).headers["content-type"], "video/mp4", path);
    }
    // What leads out of public/ is Vite's to judge, and never read here.
    await ask("/link.mov");
    assert.equal([...copies("link.mov"), ...copies("outside.mov")].length, 0);
  });

  test("is copied once, as soon as it is there, whoever asks for it", async () => {
    encode(file("new.part"), "m=bt709:r=tv,format=yuv420p", [...HEVC, "-f", "mov"]);
    renameSync(file("new.part"), file("new.mov"));
    const answers = await Promise.all([ask("/new.mov"), ask("/new.mov"), ask("/new.mov", { range: "bytes=0-" })]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 206]);
    assert.equal(copies("new.mov").length, 1);
    // What a composition is told of its files is as new.
    const listed = async () => String((await ask("/@id/__x00__virtual:koda-files")).body);
    assert.doesNotMatch(await listed(), /"seen\.mov"/);
    encode(file("seen.part"), "m=bt709:r=tv,format=yuv420p", [...HEVC, "-f", "mov"], { from: 2 });
    renameSync(file("seen.part"), file("seen.mov"));
    for (const end = Date.now() + 20_000; copies("seen.mov").length === 0; await new Promise((done) => setTimeout(done, 20))) assert.ok(Date.now() < end);
    // Who takes frames can wait for it.
    const pending = async () => JSON.parse((await ask("/__koda/media")).body).pending;
    for (const end = Date.now() + 20_000; (await pending()).length > 0; await new Promise((done) => setTimeout(done, 20))) assert.ok(Date.now() < end);
    const [copy] = copies("seen.mov");
    assert.ok(existsSync(copy));
    assert.match(await listed(), /"seen\.mov"/);
  });

  test("is served anew when it is replaced, and its copy goes with it", async () => {
    const put = (from) => {
      encode(file("change.part"), "m=bt709:r=tv,format=yuv420p", [...HEVC, "-f", "mov"], { from });
      renameSync(file("change.part"), file("change.mov"));
    };
    put(3);
    assert.equal((await look("change.mov", 5)).seen[0].number, 8);
    put(7);
    await page.reload();
    assert.equal((await look("change.mov", 5)).seen[0].number, 12);
    const made = copies("change.mov");
    assert.equal(made.length, 2);
    assert.ok(existsSync(made[1]));
    rmSync(file("change.mov"));
    for (const end = Date.now() + 20_000; made.some((copy) => existsSync(copy)); await new Promise((done) => setTimeout(done, 50))) assert.ok(Date.now() < end);
    assert.notEqual((await ask("/change.mov")).status, 200);
  });

  test("is not copied again for a render beside the preview, and nothing is left when servers end", async () => {
    const render = new Workspace("remotion");
    try {
      copyFileSync(file("hevc.mov"), join(render.root, "public/other name.mov"));
      const own = join(workspace.root, ".koda/renders/one/capture-1");
      await render.start({ ...environment(), KODA_VITE_CACHE: own, NODE_ENV: "production" });
      const { body } = await ask("/hevc.mov");
      const answer = await fetch(`${render.origin}/other%20name.mov`);
      assert.ok(body.equals(Buffer.from(await answer.arrayBuffer())));
      assert.equal(copies("other name.mov").length, 0);
      const put = async (seconds, ...names) => {
        const made = join(workspace.root, "made.mp4");
        execFileSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", `testsrc2=s=1280x720:r=30:d=${seconds}`, "-c:v", "mpeg4", "-q:v", "2", "-f", "mp4", made]);
        for (const name of names) {
          copyFileSync(made, `${name}.part`);
          renameSync(`${name}.part`, name);
          for (const end = Date.now() + 20_000; copies(basename(names[0])).length === 0; await new Promise((done) => setTimeout(done, 20))) assert.ok(Date.now() < end);
        }
      };
      // Nor is it while the preview is at it.
      await put(2, file("both.mp4"), join(render.root, "public/both too.mp4"));
      assert.equal((await fetch(`${render.origin}/both%20too.mp4`, { method: "HEAD" })).headers.get("content-length"), (await ask("/both.mp4", {}, "HEAD")).headers["content-length"]);
      assert.deepEqual([copies("both.mp4").length, copies("both too.mp4").length], [1, 0]);
      // What a server left whose number another process has now is waited for by nobody.
      const [key] = basename(copies("both.mp4")[0]).split(".");
      const left = join(cache(), `koda-media-${process.pid}-1-left`);
      mkdirSync(left);
      writeFileSync(join(left, `part-${key}.1.mp4`), "");
      for (const from of [cache(), own]) {
        for (const name of readdirSync(from)) if (name.startsWith("koda-media-") && !name.endsWith("-left")) for (const copy of readdirSync(join(from, name))) if (copy.startsWith(key)) rmSync(join(from, name, copy));
      }
      copyFileSync(join(render.root, "public/both too.mp4"), join(render.root, "public/both again.mp4"));
      assert.equal((await fetch(`${render.origin}/both%20again.mp4`, { method: "HEAD", signal: AbortSignal.timeout(20_000) })).status, 200);
      assert.equal(copies("both again.mp4").length, 1);
      rmSync(left, { recursive: true });
      // Ended in the middle of a copy.
      await put(15, join(render.root, "public/long.mp4"));
      const ended = new Promise((done) => render.server.once("exit", done));
      render.server.kill();
      await ended;
      assert.deepEqual(readdirSync(own).filter((name) => name.startsWith("koda-media-")), []);
      assert.equal(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n").filter((line) => line.includes(`${render.root}/public/long.mp4`)).length, 0);
    } finally {
      await render.close();
    }
    assert.equal(folders().length, 1);
    const ended = new Promise((done) => workspace.server.once("exit", done));
    workspace.server.kill();
    await ended;
    assert.deepEqual(folders(), []);
  });
});
