// A collector of OpenTelemetry's.
import { once } from "node:events";
import { createServer } from "node:http";

/** A collector that keeps what it is sent; names in it are plain text. */
export async function collector() {
  const got = { "/v1/traces": "", "/v1/metrics": "" };
  const keys = new Set();
  const server = createServer(async (request, response) => {
    for await (const chunk of request) got[request.url] += chunk.toString("latin1");
    keys.add(request.headers["api-key"]);
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { got, keys, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
