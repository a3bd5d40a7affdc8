// Serves sounds and videos that browsers cannot play (HEVC of phones, ProRes, ALAC, …) as copies that they can, at the same address.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { needed } from "./probe.mjs";
import { extension, recipe, transcode } from "./transcode.mjs";

const NAMES = /\.(mp4|mov|m4v|webm|m4a|wav|ogg|mp3)$/i;
/** Requests of modules, and not of what is in the file. */
const AS_MODULE = /[?&](import|url|raw|inline|no-inline|worker|sharedworker)\b/;
/** What folders of copies are called, before the number of their process and when that began: a sandbox gives numbers anew. */
const FOLDER = "koda-media-";
const OWN = `${FOLDER}${process.pid}-${begun(process.pid)}-`;
/** What copies are called before they are whole. */
const PART = "part-";
/** How often it is looked whether another server has made a copy, in milliseconds. */
const AGAIN = 200;
/** Somebody may just be opening the copy that is to go, in milliseconds. */
const STILL_OPENING = 1000;

/**
 * Vite plugin that has copies made of what browsers cannot play in `public/`, as soon as it is there, and served in its place.
 * `GET /__koda/media` tells which files have not been looked into yet, or are being copied: `{"pending": ["assets/clip.mov"]}`.
 * @param {string} root the workspace's folder
 * @returns {import("vite").Plugin}
 */
export function media(root) {
  let end = () => {};
  return {
    name: "koda:media",
    apply: "serve",
    closeBundle: () => end(),
    configureServer(server) {
      const { cacheDir, server: { fs } } = server.config;
      const copies = playable(root, cacheDir, (folder) => fs.allow.push(folder));
      for (const event of ["add", "change", "unlink"]) server.watcher.on(event, copies.changed);
      server.middlewares.use("/__koda/media", (_request, response) => {
        response.setHeader("content-type", "application/json");
        response.setHeader("cache-control", "no-store");
        response.end(JSON.stringify({ pending: copies.pending() }));
      });
      server.middlewares.use(copies.middleware);
      end = copies.end;
      process.once("exit", end);
      copies.begin();
    },
  };
}

/**
 * @param {string} root the workspace's folder
 * @param {string} cache a folder where something may be kept
 * @param {(folder: string) => void} serves told of the folder with the copies, before there are any
 */
function playable(root, cache, serves) {
  const publicFolder = join(root, "public");
  /** @type {Map<string, { is: string, stop: AbortController, copy: Promise<string | null> }>} by path */
  const files = new Map();
  /** @type {Set<string>} seen, and not yet looked into */
  const seen = new Set();
  /** The file that is looked into now. */
  let looking = "";
  let ended = false;
  let folder = "";
  let made = 0;
  /** One copy is made at a time: each takes all processors. */
  let turn = Promise.resolve();

  /** Whether a path is that of a file of public/ which may need a copy. */
  function isOurs(path) {
    if (!NAMES.test(path) || !path.startsWith(publicFolder + sep)) return false;
    try {
      const real = realpathSync(path);
      return real.startsWith(realpathSync(publicFolder) + sep) && statSync(real).isFile();
    } catch {
      return false;
    }
  }

  /** Resolves with the copy to serve in place of a file, or null. */
  function copyOf(file) {
    if (ended) return null;
    const { ino, size, mtimeMs } = statSync(file);
    const is = `${ino}/${size}/${mtimeMs}`;
    const before = files.get(file);
    if (before?.is === is) return before.copy;
    forget(file);
    const stop = new AbortController();
    const copy = make(file, stop.signal).catch((error) => {
      if (!stop.signal.aborted) console.error(`${relative(root, file)} cannot be made playable: ${error.message}`);
      return null;
    });
    files.set(file, { is, stop, copy });
    return copy;
  }

  async function make(file, signal) {
    const what = await needed(file, signal);
    if (!what || signal.aborted) return null;
    const args = recipe(what);
    const hash = createHash("sha256").update(JSON.stringify(args));
    await pipeline(createReadStream(file, { signal }), hash);
    const key = hash.digest("hex").slice(0, 40);
    const done = turn.then(() => put(file, `${key}.${++made}.${extension(what)}`, key, args, signal));
    turn = done.then(() => undefined, () => undefined);
    return done;
  }

  async function put(file, name, key, args, signal) {
    signal.throwIfAborted();
    const target = join(ownFolder(), name);
    for (;;) {
      // Asked first: in between it may become whole.
      const wait = isMadeBeside(key);
      if (borrow(key, target)) return target;
      if (!wait) break;
      await sleep(AGAIN, undefined, { signal });
    }
    const part = join(folder, PART + name);
    // FFmpeg takes a moment to begin with it; others are to see at once what is made.
    writeFileSync(part, "");
    try {
      await transcode(file, part, args, signal);
      signal.throwIfAborted();
      renameSync(part, target);
    } finally {
      rmSync(part, { force: true });
    }
    return target;
  }

  function ownFolder() {
    if (folder && existsSync(folder)) return folder;
    try {
      mkdirSync(cache, { recursive: true });
      folder = mkdtempSync(join(cache, OWN));
    } catch {
      folder = mkdtempSync(join(tmpdir(), OWN));
    }
    folder = realpathSync(folder);
    serves(folder);
    return folder;
  }

  /** Takes a copy of the same bytes from wherever this server or the preview's has one. */
  function borrow(key, target) {
    for (const from of new Set([folder, ...neighbours(cache)])) {
      const name = list(from).find((other) => other.startsWith(`${key}.`));
      if (!name) continue;
      try {
        linkSync(join(from, name), target);
        return true;
      } catch {
        // It is gone already, or on another disk.
      }
    }
    return false;
  }

  /** Whether the preview's server is at it: two at once would take twice as long each. */
  function isMadeBeside(key) {
    return neighbours(cache).some((from) => from !== folder && runs(basename(from)) && list(from).some((name) => name.startsWith(`${PART}${key}.`)));
  }

  function forget(file) {
    const before = files.get(file);
    if (!before) return;
    files.delete(file);
    before.stop.abort();
    before.copy.then((copy) => copy && setTimeout(() => rmSync(copy, { force: true }), STILL_OPENING).unref());
  }

  async function look() {
    if (looking) return;
    for (const path of seen) {
      seen.delete(path);
      looking = path;
      if (isOurs(path)) await settled(path);
    }
    looking = "";
  }

  /** As `copyOf`, for a file that may be gone by now, or a copy that somebody removed. */
  async function settled(file) {
    try {
      const copy = await copyOf(file);
      if (!copy || existsSync(copy)) return copy;
      forget(file);
      return await copyOf(file);
    } catch {
      return null;
    }
  }

  /** A file appeared, changed or is gone. */
  function changed(path) {
    if (!NAMES.test(path)) return;
    if (!existsSync(path)) forget(path);
    seen.add(path);
    look();
  }

  return {
    /** Begins with what is there. */
    begin() {
      clearUp(cache);
      for (const name of list(publicFolder, true)) changed(join(publicFolder, name));
    },

    changed,

    /** Paths below public/. */
    pending: () => [...(looking ? [looking] : []), ...seen].map((path) => relative(publicFolder, path).replaceAll(sep, "/")),

    /** Sends those who ask for a file to its copy; before whatever serves files. */
    async middleware(request, _response, next) {
      const path = asked(request);
      const file = join(publicFolder, path);
      const copy = path && file === publicFolder + path && isOurs(file) ? await settled(file) : null;
      if (copy) request.url = `/@fs${encodeURI(copy)}`;
      next();
    },

    /** Ends what is being made, and removes what was. */
    end() {
      ended = true;
      for (const { stop } of files.values()) stop.abort();
      files.clear();
      seen.clear();
      if (folder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The path that is asked for, decoded as Vite does it: what it would not find has no copy either. Empty where it is no file's. */
function asked({ method, url }) {
  if ((method !== "GET" && method !== "HEAD") || AS_MODULE.test(url)) return "";
  try {
    return decodeURI(url.split(/[?#]/)[0]);
  } catch {
    return "";
  }
}

/** The preview's folders of copies: a render's workspace, and its cache, lie below the preview's `.koda`. */
function neighbours(cache) {
  const [workspace, within] = cache.split(`${sep}.koda${sep}`);
  if (within === undefined) return [];
  const preview = join(workspace, ".koda/vite");
  return list(preview).filter((name) => name.startsWith(FOLDER)).map((name) => join(preview, name));
}

/** Removes what servers left that were killed. */
function clearUp(cache) {
  for (const name of list(cache)) {
    if (name.startsWith(FOLDER) && !runs(name)) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

/** Whether the server still runs that a folder of copies belongs to. */
function runs(name) {
  const [pid, since] = name.slice(FOLDER.length).split("-").map(Number);
  try {
    return process.kill(pid, 0) && begun(pid) === since;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** When a process began, in ticks since the machine did; 0 where nobody tells. https://docs.kernel.org/filesystems/proc.html */
function begun(pid) {
  try {
    // After its name, which may have anything in it.
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[19]);
  } catch {
    return 0;
  }
}

function list(folder, deep = false) {
  try {
    return readdirSync(folder, { recursive: deep });
  } catch {
    return [];
  }
}
