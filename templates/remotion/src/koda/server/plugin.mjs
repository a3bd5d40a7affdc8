// What the page needs to know that only the server can tell: where a line of served code came from, and why a module fails.
import { SourceMap } from "node:module";
import { relative } from "node:path";
import { watchWorkspace } from "./watch.mjs";

/**
 * Vite plugin that tells Vite which files change, and pages what changed while they loaded; and answers
 * `GET /__koda/diagnose`: the first module of the composition that does not compile, or null;
 * `GET /__koda/locate?url=&line=&column=`: the source position of a position in served code, or null.
 * @param {string} root the workspace's folder
 * @returns {import("vite").Plugin}
 */
export function koda(root) {
  let end = () => {};
  let changes = 0;
  /** @type {Map<string, { event: string, change: number }>} the last change of each file */
  const changed = new Map();
  return {
    name: "koda",
    apply: "serve",
    closeBundle: () => end(),
    transformIndexHtml: (html) => html.replace("<html", `<html data-changes="${changes}"`),
    configureServer(server) {
      end = watchWorkspace(root, (event, path) => {
        changed.set(path, { event, change: ++changes });
        server.watcher.emit(event, path);
      });
      server.environments.client.hot.on("koda:loaded", ({ changes: known }) => {
        for (const [path, { event, change }] of changed) if (change > known) server.watcher.emit(event === "add" ? "change" : event, path);
      });
      server.middlewares.use("/__koda/diagnose", (_request, response) => {
        diagnose(server, root).then((found) => answer(response, found));
      });
      server.middlewares.use("/__koda/locate", (request, response) => {
        const query = new URL(request.url ?? "", "http://koda").searchParams;
        locate(server, root, query).then((found) => answer(response, found));
      });
    },
  };
}

function answer(response, value) {
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-store");
  response.end(JSON.stringify(value));
}

async function diagnose(server, root) {
  const seen = new Set();
  const queue = ["/src/Composition.tsx", "/src/design.ts", "/koda.json"];
  while (queue.length > 0) {
    const url = queue.shift();
    if (seen.has(url)) continue;
    seen.add(url);
    try {
      await server.transformRequest(url);
    } catch (error) {
      return describe(error, url, root);
    }
    const module = await server.environments.client.moduleGraph.getModuleByUrl(url);
    for (const imported of module?.importedModules ?? []) {
      if (imported.file?.startsWith(root) && !imported.file.includes("/node_modules/")) queue.push(imported.url);
    }
  }
  return null;
}

function describe(error, url, root) {
  const file = error.loc?.file ?? error.id ?? `${root}${url}`;
  return {
    message: String(error.message ?? error),
    frame: error.frame ?? "",
    file: relative(root, file.split("?")[0]),
    line: error.loc?.line ?? null,
    column: error.loc?.column ?? null,
  };
}

async function locate(server, root, query) {
  const url = (query.get("url") ?? "").split("?")[0];
  const module = await server.environments.client.moduleGraph.getModuleByUrl(url);
  const map = module?.transformResult?.map;
  if (!module?.file || !map?.mappings) return null;
  const entry = new SourceMap(map).findEntry(Number(query.get("line")) - 1, Number(query.get("column")) - 1);
  if (entry.originalLine === undefined) return null;
  return { file: relative(root, module.file), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}
