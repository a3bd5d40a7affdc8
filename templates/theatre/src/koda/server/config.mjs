// One Vite configuration for `dev`, `build` and `optimize`, so that a dependency cache made by one is valid for the others.
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { koda } from "./plugin.mjs";
import { dependencies } from "./dependencies.mjs";
import { imports } from "./imports.mjs";
import { media } from "./media.mjs";
import { prepared } from "./prepared.mjs";

const root = resolve(import.meta.dirname, "../../..");
const modules = resolve(root, "node_modules");

/** Where node_modules really is: a sandbox may mount it from elsewhere. */
function realModules() {
  try {
    return realpathSync(modules);
  } catch {
    return modules;
  }
}

/** Behind Koda's proxy any host name may arrive, and the proxy has checked it; on a developer's machine only local ones. */
const proxied = Boolean(process.env.KODA_SOCKET || process.env.KODA_PORT);

/** @type {import("vite").UserConfig} */
export default {
  root,
  configFile: false,
  appType: "mpa",
  cacheDir: process.env.KODA_VITE_CACHE || prepared(modules),
  clearScreen: false,
  logLevel: "warn",
  plugins: [imports(root), media(root), koda(root)],
  oxc: { jsx: { runtime: "automatic", importSource: "react" } },
  json: { namedExports: false },
  // Nothing is installed at run time, so everything importable is known: no scan, and no reload when an import is new.
  optimizeDeps: { noDiscovery: true, include: dependencies },
  server: {
    allowedHosts: proxied ? true : [],
    hmr: { overlay: false },
    fs: { strict: true, allow: [root, realModules()] },
    // The plugin reports changes instead, see watch.mjs.
    watch: null,
    warmup: { clientFiles: ["./src/koda/main.ts", "./src/Composition.tsx"] },
  },
  build: { target: "es2023", outDir: "dist", chunkSizeWarningLimit: 4000 },
};
