// A phone's video, which no browser plays, and one with few key frames: from the upload over the preview into the exported film.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  api,
  logOf,
  openPage,
  probe,
  startBrowser,
  startModel,
  startServer,
  until,
} from "./support.mjs";

/** The clips side by side, with the sound of the phone's. */
const COMPOSITION = `import { AbsoluteFill, getStaticFiles, Html5Video } from "remotion";
import { design } from "./design";

const half = { position: "absolute", top: 90, width: 780, height: 900, objectFit: "fill" } as const;

const clip = (ending: string) => getStaticFiles().find(({ name }) => name.endsWith(ending))?.src ?? "";

export default function Composition() {
  return (
    <AbsoluteFill style={{ backgroundColor: design.colors.background }}>
      <Html5Video src={clip(".mov")} style={{ ...half, left: 120 }} />
      <Html5Video src={clip(".mp4")} muted style={{ ...half, left: 1020 }} />
    </AbsoluteFill>
  );
}
`;
const PLAN = {
  title: "Two clips",
  summary: "Two clips beside each other.",
  engine: "remotion",
  scenes: [{ title: "Both", description: "They run.", duration_seconds: 3 }],
  design: {
    colors: { background: "#101020", primary: "#ffffff", accent: "#ffffff", text: "#ffffff" },
    fonts: {},
    mood: "calm",
  },
};
const SCRIPT = [
  { say: "Here is a plan.", call: [{ name: "propose_plan", input: PLAN }] },
  {
    say: "I write the scene.",
    call: [
      { name: "write_file", input: { path: "src/Composition.tsx", content: COMPOSITION } },
      { name: "finish", input: { summary: "Both run" } },
    ],
  },
];
/** Lighter from frame to frame: 30 frames a second for a little longer than the film. */
const CLIP =
  "-v error -f lavfi -i color=black:size=640x360:rate=30:duration=3.2 -f lavfi -i sine=frequency=660:duration=3.2:sample_rate=48000 -vf format=yuv444p,geq=lum=20+2.2*N:cb=128:cr=128 -pix_fmt yuv420p";
const HEVC = "-c:v libx265 -crf 8 -x265-params log-level=error -tag:v hvc1 -c:a aac";
const FEW_KEYS = "-c:v libx264 -g 250 -crf 10 -an";

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "koda-media-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function upload(server, project, filename, media_type) {
  const bytes = await readFile(join(folder, filename));
  const made = await api(server, "POST", `/api/v1/projects/${project}/assets`, {
    filename,
    media_type,
    size: bytes.length,
  });
  const { url, method, headers } = made.upload;
  const put = await fetch(new URL(url, server.url), { method, headers, body: bytes });
  assert.ok(put.ok, `${put.status}`);
  return api(server, "POST", `/api/v1/assets/${made.asset.id}/commit`);
}

/** Greys in the middle of both clips, of frames as they are listed. */
function greys(file, width, height) {
  const raw = execFileSync(
    "ffmpeg",
    ["-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
    {
      maxBuffer: 2 ** 30,
    },
  );
  return Array.from({ length: raw.length / (width * height) }, (_, frame) => {
    const row = frame * width * height + Math.round(height / 2) * width;
    return [0.26, 0.74].map((share) => raw[row + Math.round(share * width)]);
  });
}

test("a phone's video and one with few key frames run in the preview, and to the frame in the film", {
  timeout: 240_000,
}, async (t) => {
  execFileSync("ffmpeg", [...CLIP.split(" "), ...HEVC.split(" "), join(folder, "phone.mov")]);
  execFileSync("ffmpeg", [...CLIP.split(" "), ...FEW_KEYS.split(" "), join(folder, "screen.mp4")]);
  const model = await startModel(SCRIPT);
  const server = await startServer(model.environment);
  const browser = await startBrowser();
  t.after(async () => {
    await browser.close();
    await server.stop();
    await model.stop();
  });
  const project = await api(server, "POST", "/api/v1/projects", { name: "Clips" });
  const phone = await upload(server, project.id, "phone.mov", "video/quicktime");
  assert.equal(phone.kind, "video");
  const screen = await upload(server, project.id, "screen.mp4", "video/mp4");
  const session = await api(server, "POST", `/api/v1/projects/${project.id}/sessions`, {
    node_id: "n1",
  });
  const path = `/api/v1/sessions/${session.id}`;
  const find = async (type) =>
    (await logOf(server, session.id)).find((event) => event.type === type);
  await api(server, "POST", `${path}/messages`, {
    text: "Both clips",
    attachments: [phone.id, screen.id],
  });
  const { hash } = await until("no plan", () => find("plan_proposed"));
  await until("the turn does not end", () => find("turn_finished"));
  await api(server, "POST", `${path}/plan`, { decision: "approve", hash });
  await until("no version", () => find("version_created"), 120).catch(async (error) => {
    const happened = JSON.stringify(await logOf(server, session.id), null, 1);
    throw new Error(`${error.message}:\n${happened}\n${server.log()}`);
  });

  // The preview, as anybody's browser has it: both clips have a picture.
  const problems = [];
  const page = await openPage(browser, problems);
  const preview = await api(server, "POST", `${path}/preview`, {});
  await page.goto(preview.url);
  await page.waitForFunction(
    () => {
      const videos = [...document.querySelectorAll("video")];
      return (
        videos.length === 2 &&
        videos.every(({ readyState, videoWidth }) => readyState >= 2 && videoWidth === 640)
      );
    },
    undefined,
    { timeout: 60_000 },
  );
  if (process.env.E2E_SHOTS) {
    await mkdir(process.env.E2E_SHOTS, { recursive: true });
    await page.screenshot({ path: join(process.env.E2E_SHOTS, "media-preview.png") });
  }
  assert.deepEqual(problems, []);

  const spec = { resolution: "720p", fps: 30, format: "mp4", quality: "standard" };
  const { id } = await api(server, "POST", `${path}/renders`, spec);
  const render = await until(
    "no film",
    async () => {
      const now = await api(server, "GET", `${path}/renders/${id}`);
      assert.notEqual(now.status, "failed", JSON.stringify(now));
      return now.status === "ready" && now;
    },
    120,
  );
  assert.equal(render.output.capture, "pixels");
  const film = join(folder, "film.mp4");
  const answer = await fetch(`${server.url}${path}/renders/${id}/file`);
  await writeFile(film, Buffer.from(await answer.arrayBuffer()));
  const { frames, width, height } = probe(film);
  assert.deepEqual([frames, width, height], [90, 1280, 720]);
  const [first, last] = [20, 89];
  const seen = greys(film, width, height);
  for (let frame = first; frame <= last; frame++) {
    const [left, right] = seen[frame];
    assert.ok(Math.abs(left - right) <= 1, `frame ${frame}: ${left} and ${right}`);
    assert.ok(left > seen[frame - 1][0], `frame ${frame}: ${left} after ${seen[frame - 1][0]}`);
  }
  const heard = spawnSync("ffmpeg", ["-i", film, "-af", "volumedetect", "-f", "null", "-"], {
    encoding: "utf8",
  });
  // FFmpeg's sine has 21 dB below the loudest there is.
  const [, volume] = heard.stderr.match(/mean_volume: (-?[\d.]+) dB/);
  assert.ok(Math.abs(Number(volume) + 21) < 1, `${volume} dB`);
});
