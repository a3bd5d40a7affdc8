// Which module a composition gets for what it imports.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { replaced } from "./dependencies.mjs";

const FILES = "virtual:koda-files";

/**
 * Vite plugin that gives compositions modules of `src/koda` for some that they import, and the page a list of the files below
 * `public/`.
 * @param {string} root the workspace's folder
 * @returns {import("vite").Plugin}
 */
export function imports(root) {
  const sources = join(root, "src") + sep;
  const runtime = join(root, "src/koda") + sep;
  return {
    name: "koda:imports",
    enforce: "pre",
    resolveId(source, importer) {
      if (source === FILES) return `\0${FILES}`;
      const composition = importer?.startsWith(sources) && !importer.startsWith(runtime);
      return composition && Object.hasOwn(replaced, source) ? runtime + replaced[source] : undefined;
    },
    configureServer({ watcher, environments }) {
      const below = join(root, "public") + sep;
      const renew = (path) => {
        const graph = environments.client.moduleGraph;
        const module = path.startsWith(below) && graph.getModuleById(`\0${FILES}`);
        if (module) graph.invalidateModule(module);
      };
      for (const event of ["add", "change", "unlink"]) watcher.on(event, renew);
    },
    load(id) {
      return id === `\0${FILES}` ? `export default ${JSON.stringify(publicFiles(root))};` : undefined;
    },
  };
}

function publicFiles(root) {
  const folder = join(root, "public");
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs } = statSync(path);
    return { name: relative(folder, path).replaceAll(sep, "/"), sizeInBytes: size, lastModified: Math.round(mtimeMs) };
  });
  return files.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
