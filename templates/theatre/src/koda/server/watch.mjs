// Notices every change of a workspace's files, however they are written. Folders are watched rather than files: a file that is
// replaced by renaming another over it is a new file, and a watch on the old one would never hear of it.
import { lstatSync, readdirSync, watch } from "node:fs";
import { dirname, join } from "node:path";

const watched = ["src", "public"];
/** Events of one change come in bursts; this is how long to wait for the end of one, in milliseconds. */
const QUIET = 12;
/** Where a file system reports nothing, changes are found by looking, this often. */
const LOOK = 1500;

/**
 * Reports changes below `src` and `public` and of files in the workspace's own folder.
 * @param {string} root the workspace's folder
 * @param {(event: "add" | "change" | "unlink", path: string) => void} report
 * @returns {() => void} ends it
 */
export function watchWorkspace(root, report) {
  /** @type {Map<string, string>} */
  const files = new Map();
  /** @type {Map<string, import("node:fs").FSWatcher>} */
  const folders = new Map();
  /** @type {Map<string, NodeJS.Timeout>} */
  const waiting = new Map();

  const known = (folder, name) => !name.startsWith(".") && name !== "node_modules" && (folder !== root || !name.includes("dist"));

  function look(path, silent = false) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory()) {
      if (dirname(path) !== root || watched.some((name) => path === join(root, name))) enter(path, silent);
      return;
    }
    const before = files.get(path);
    const now = stats && `${stats.ino}/${stats.size}/${stats.mtimeMs}/${stats.ctimeMs}`;
    if (now === before) return;
    if (now) files.set(path, now);
    else files.delete(path);
    if (!silent) report(!now ? "unlink" : before ? "change" : "add", path);
  }

  function enter(folder, silent) {
    if (!folders.has(folder)) {
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => (name ? soon(folder, String(name)) : again(folder)));
        watcher.on("error", () => leave(folder));
        folders.set(folder, watcher);
      } catch {
        // Looking from time to time has to do.
      }
    }
    for (const entry of list(folder)) look(join(folder, entry), silent);
  }

  function leave(folder) {
    folders.get(folder)?.close();
    folders.delete(folder);
  }

  function list(folder) {
    try {
      return readdirSync(folder).filter((name) => known(folder, name));
    } catch {
      leave(folder);
      return [];
    }
  }

  function soon(folder, name) {
    if (!known(folder, name)) return;
    const path = join(folder, name);
    clearTimeout(waiting.get(path));
    waiting.set(
      path,
      setTimeout(() => {
        waiting.delete(path);
        again(path);
      }, QUIET),
    );
  }

  /** Looks at a path, and at everything that was below it where it is gone. */
  function again(path) {
    look(path);
    if (lstatSync(path, { throwIfNoEntry: false })) return;
    leave(path);
    for (const file of [...files.keys()]) if (file.startsWith(`${path}/`)) look(file);
  }

  enter(root, true);
  const timer = setInterval(() => {
    enter(root, false);
    for (const file of [...files.keys()]) look(file);
  }, LOOK);
  timer.unref();

  return () => {
    clearInterval(timer);
    for (const pending of waiting.values()) clearTimeout(pending);
    for (const folder of [...folders.keys()]) leave(folder);
  };
}
