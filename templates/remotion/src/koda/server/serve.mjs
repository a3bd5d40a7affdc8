// The development server: Vite behind one request handler that listens on a port and, where asked, on a Unix socket.
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { resolve } from "node:path";
import { createServer } from "vite";
import config from "./config.mjs";
import { prepared } from "./prepared.mjs";

/**
 * Starts the server and resolves once it listens.
 * @param {string} root the workspace's folder
 */
export async function startDevServer(root) {
  seedCache(root);
  const http = createHttpServer();
  const vite = await createServer({
    ...config,
    server: { ...config.server, middlewareMode: true, hmr: { ...config.server.hmr, server: http } },
  });
  http.on("request", vite.middlewares);

  const socket = process.env.KODA_SOCKET;
  const servers = [http];
  if (socket) {
    rmSync(socket, { force: true });
    const local = createHttpServer(vite.middlewares);
    // Vite upgrades connections of one server only; those that arrive on the socket are handed to it.
    local.on("upgrade", (request, connection, head) => http.emit("upgrade", request, connection, head));
    servers.push(local);
    await listen(local, { path: socket });
  }
  const port = Number(process.env.KODA_PORT || 5173);
  await listen(http, { port, host: "127.0.0.1" });
  console.log(`Koda composition at http://127.0.0.1:${port}/`);

  const stop = async () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await vite.close();
    process.exit(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function listen(server, where) {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(where, done);
  });
}

/** Starts a cache that lives outside node_modules from the one that was prepared inside it. */
function seedCache(root) {
  const cache = process.env.KODA_VITE_CACHE;
  const ahead = resolve(prepared(resolve(root, "node_modules")), "deps");
  if (!cache || existsSync(resolve(cache, "deps/_metadata.json")) || !existsSync(ahead)) return;
  // Whole or not at all: another server may begin at the same time.
  const copy = resolve(cache, `deps-${process.pid}`);
  cpSync(ahead, copy, { recursive: true });
  try {
    renameSync(copy, resolve(cache, "deps"));
  } catch {
    rmSync(copy, { recursive: true, force: true });
  }
}
