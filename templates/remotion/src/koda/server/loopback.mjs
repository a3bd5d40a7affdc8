// Imported before anything else: this process speaks with this machine alone, and is heard by nobody beyond it. Remotion's renderer
// fetches what a composition names by itself, past the browser, and would serve that to whoever asks.
import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";
import { Server } from "node:net";

const NEAR = ["127.0.0.1", "localhost", "[::1]", "::1"];

function host(target) {
  if (typeof target !== "string" && !(target instanceof URL)) return target?.hostname ?? target?.host ?? "localhost";
  return new URL(target).hostname;
}

function near(what) {
  return (target, ...more) => {
    const named = host(target);
    if (!NEAR.includes(named)) throw new Error(`${named} is asked of the network, which compositions do not have`);
    return what(target, ...more);
  };
}

for (const protocol of [http, https]) {
  protocol.get = near(protocol.get);
  protocol.request = near(protocol.request);
}
globalThis.fetch = near(globalThis.fetch);
syncBuiltinESMExports();

const { listen } = Server.prototype;
/** With options, as Remotion does it, and by a port. */
Server.prototype.listen = function (at, ...more) {
  const options = typeof at === "number" ? { port: at } : at;
  if (typeof options !== "object" || options === null || options.port === undefined) return listen.call(this, at, ...more);
  const then = more.filter((it) => typeof it === "function");
  return listen.call(this, { ...options, host: "127.0.0.1" }, ...then);
};
