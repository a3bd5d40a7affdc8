// What a sound or video file is made of, and what has to be made anew for browsers to play it.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where FFmpeg's programs are, as for `koda-capture`. */
export const program = (variable, name) => process.env[variable] || name;

/**
 * A playlist that calls itself a film could name files of the machine, or addresses: FFmpeg reads files alone, and only as what holds
 * its streams itself.
 */
export const INPUT = ["-protocol_whitelist", "file", "-format_whitelist", "mov,matroska,wav,w64,ogg,mp3,flac,aac,aiff,caf,avi,mpegts"];

// What Chromium 156 was seen to play without codecs of the system's, all of it also with sound and picture together. Any depth and
// subsampling of these plays.
const CONTAINERS = ["mov", "matroska", "wav", "ogg", "mp3", "flac", "aac"];
const TIMED = ["mov", "matroska"];
const PICTURES = ["h264", "vp8", "vp9", "av1"];
const SOUNDS = ["aac", "mp3", "opus", "vorbis", "flac", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw"];
/** Plays elsewhere, but in a WAV file not after a jump. */
const NOT_IN_WAV = "flac";

const FACTS = "index,codec_type,codec_name,pix_fmt,width,height,color_range,color_space,color_transfer,color_primaries,avg_frame_rate,channels";

/**
 * @typedef {Record<string, any>} Stream what FFprobe says of a stream
 * @typedef {object} Needed
 * @property {Stream | undefined} picture the video, where there is one
 * @property {Stream[]} sounds a composition may choose another than the first
 * @property {boolean} pictureAnew false where its video plays as it is
 * @property {number} seconds how long it lasts; 0 where that is not known
 * @property {boolean} timed whether its times are to be kept, and do not begin wherever a recorder's clock stood
 */

/**
 * What has to be made of a file so that it plays; null where it plays as it is, where nothing can be made of it, and where nobody can
 * tell, because there is no FFprobe.
 * @param {string} file
 * @param {AbortSignal} signal
 * @returns {Promise<Needed | null>}
 */
export async function needed(file, signal) {
  const facts = `format=format_name,duration:stream=${FACTS}:stream_disposition=attached_pic`;
  let said;
  try {
    const args = ["-v", "error", ...INPUT, "-of", "json", "-show_entries", facts, `file:${file}`];
    const { stdout } = await run(program("KODA_FFPROBE", "ffprobe"), args, { signal, killSignal: "SIGKILL", timeout: 20_000, maxBuffer: 16e6 });
    said = JSON.parse(stdout);
  } catch {
    return null;
  }
  return judge(said.format ?? {}, said.streams ?? []);
}

function judge(format, streams) {
  const container = String(format.format_name).split(",")[0];
  const all = (type) => streams.filter((stream) => stream.codec_type === type && known(stream) && !stream.disposition?.attached_pic);
  const [picture] = all("video");
  const sounds = all("audio");
  const opens = CONTAINERS.includes(container);
  const pictureAnew = picture !== undefined && !(opens && PICTURES.includes(picture.codec_name));
  const plays = (codec) => SOUNDS.includes(codec) && !(container === "wav" && codec === NOT_IN_WAV);
  const soundAnew = sounds.length > 0 && !(opens && plays(sounds[0].codec_name));
  if (!pictureAnew && !soundAnew) return null;
  return { picture, sounds, pictureAnew, seconds: Number(format.duration) || 0, timed: TIMED.includes(container) };
}

/** FFmpeg has no name, or none that it could decode, for what it does not know. */
const known = ({ codec_name: name }) => Boolean(name) && name !== "none" && name !== "unknown";
