// Copies of sounds and videos that browsers play: the same frames at the same times, in colours that every browser understands.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { INPUT, program } from "./probe.mjs";

/** Bits of one copy, about: 500 MB, of the two gigabytes that a sandbox may have. */
const ROOM = 4e9;
/** The largest a copy may become, in bytes: where a file does not tell how long it lasts, nothing else bounds it. */
const LARGEST = (ROOM / 8) * 1.5;
/** Sound alone is PCM up to this many seconds, which are 115 MB. */
const PLAIN = 600;
/** More a second than any picture needs, and than encoders can count. */
const FASTEST = 8e8;
/** With so many bits for each pixel of each frame, all frames can be key frames, and a jump decodes one frame. */
const ALL_KEYS = 2;
/** Otherwise a jump decodes up to this many. */
const APART = 12;
/** Far longer than a copy takes, in milliseconds. */
const WITHIN = 900_000;

/** Brightness of paper in HDR, and of what is brightest there, in candela a square metre (BT.2408). */
const [WHITE, BRIGHTEST] = [203, 1000];

const AS_709 = "-color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv".split(" ");

/**
 * The name of what a copy is put into. What keeps its alpha has to be WebM; sound alone is PCM, which has no delay to get wrong, but
 * for what is long, and for several sounds, of which WAV holds one.
 */
export function extension({ picture, pictureAnew, sounds, seconds }) {
  if (!picture) return sounds.length === 1 && seconds > 0 && seconds <= PLAIN ? "wav" : "mp4";
  const webm = pictureAnew ? hasAlpha(picture) : picture.codec_name !== "h264";
  return webm ? "webm" : "mp4";
}

/**
 * FFmpeg's arguments between its input and the name of what it writes.
 * @param {import("./probe.mjs").Needed} it
 * @returns {string[]}
 */
export function recipe(it) {
  const kind = extension(it);
  const args = ["-sn", "-dn", "-map_chapters", "-1", "-threads", "4", "-fs", String(LARGEST), "-f", kind];
  if (it.timed) args.push("-copyts");
  if (it.picture) args.push("-map", `0:${it.picture.index}`, ...(it.pictureAnew ? drawn(it) : ["-c:v", "copy"]));
  // Without a picture there are no times to keep in the file: what begins late has silence before.
  if (kind === "wav") return [...args, "-map", `0:${it.sounds[0].index}`, "-c:a", "pcm_s16le", "-ac", "2", "-af", "aresample=async=1:first_pts=0"];
  it.sounds.forEach((sound, index) => args.push("-map", `0:${sound.index}`, ...heard(sound, index, kind)));
  return args;
}

function drawn({ picture, seconds }) {
  const rate = Math.round(Math.min(ROOM / seconds, FASTEST));
  const [frames, over] = String(picture.avg_frame_rate).split("/").map(Number);
  const pixels = picture.width * picture.height * (frames / over || 30) * seconds;
  const keys = pixels * ALL_KEYS < ROOM ? "1" : String(APART);
  const codec = hasAlpha(picture)
    ? ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "16", "-b:v", String(rate)]
    : ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-maxrate", String(rate), "-bufsize", String(rate)];
  return ["-vf", colours(picture), "-fps_mode:v", "passthrough", "-enc_time_base:v", "-1", ...codec, "-g", keys, ...AS_709];
}

/** Turns colours into those of BT.709, eight bits; brightness beyond a screen's is drawn together. */
function colours(picture) {
  const { color_transfer: transfer, color_primaries: primaries, color_space: space, width, height } = picture;
  if (hasAlpha(picture)) return `${scaled(picture)},format=yuva420p`;
  let filters;
  if (transfer === "arib-std-b67" || transfer === "smpte2084") {
    filters = [
      `zscale=tin=${transfer}:pin=bt2020:min=bt2020nc:t=linear:npl=${WHITE},format=gbrpf32le`,
      `zscale=p=bt709,tonemap=mobius:param=0.5:peak=${(BRIGHTEST / WHITE).toFixed(2)}:desat=0`,
      "zscale=t=bt709:m=bt709:r=tv,format=yuv420p",
    ].join(",");
  } else if (["bt2020", "smpte431", "smpte432"].includes(primaries) && space !== "gbr") {
    filters = `zscale=tin=bt709:pin=${primaries}:min=${matrix(picture)}:t=bt709:p=bt709:m=bt709:r=tv,format=yuv420p`;
  } else {
    filters = `${scaled(picture)},format=yuv420p`;
  }
  // Colours of half the resolution need even sizes; other pixels than before are as square as they were.
  return width % 2 || height % 2 ? `scale=w=ceil(iw/2)*2:h=ceil(ih/2)*2,setsar=1,${filters}` : filters;
}

/** Without exact rounding what changes its coding gets darker, and grey a colour. */
const scaled = (picture) => `scale=in_color_matrix=${matrix(picture)}:out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int`;

/** How colours are coded, or most probably are where the file does not tell. */
function matrix({ color_space: space, codec_name: codec, width, height }) {
  if (["bt709", "bt470bg", "smpte170m", "smpte240m", "bt2020nc"].includes(space)) return space;
  return codec === "mjpeg" || Math.min(width, height) < 720 ? "smpte170m" : "bt709";
}

function heard({ codec_name: codec, channels }, index, kind) {
  const [fits, encoder] = kind === "mp4" ? [["aac", "mp3"], "aac"] : [["opus", "vorbis"], "libopus"];
  if (fits.includes(codec)) return [`-c:a:${index}`, "copy"];
  return [`-c:a:${index}`, encoder, `-b:a:${index}`, "192k", ...(channels > 2 ? [`-ac:a:${index}`, "2"] : [])];
}

function hasAlpha({ pix_fmt: format }) {
  return /^(yuva|rgba|argb|bgra|abgr|gbrap|ya\d)/.test(format ?? "");
}

/**
 * Writes a copy by a recipe. What was begun is for the caller to remove.
 * @param {string} from
 * @param {string} to
 * @param {string[]} args
 * @param {AbortSignal} signal ends it
 * @throws what FFmpeg said
 */
export async function transcode(from, to, args, signal) {
  const before = ["-v", "error", "-nostdin", "-y", "-abort_on", "empty_output_stream", "-threads", "4", ...INPUT];
  const child = spawn(program("KODA_FFMPEG", "ffmpeg"), [...before, "-i", `file:${from}`, ...args, `file:${to}`], {
    stdio: ["ignore", "ignore", "pipe"],
    signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN)]),
    killSignal: "SIGKILL",
  });
  try {
    // Frames are made for somebody who waits for them; copies mostly for later.
    if (child.pid) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It was done already, or nobody may.
  }
  let said = "";
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(0, 500)));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(said.split("\n")[0].replace(/^\[.*?\] /, "").replaceAll(`file:${from}`, "it") || "FFmpeg was ended");
  // It would have been cut off there.
  if (statSync(to).size > LARGEST * 0.98) throw new Error(`its copy would be larger than ${LARGEST / 1e6} MB`);
}
