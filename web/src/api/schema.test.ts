// @vitest-environment node

import { readFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, it } from "vitest";

const contract = new URL("../../../shared/http/openapi.json", import.meta.url);

it("has the types of the contract as it is now; `npm run api` writes them", async () => {
  const wanted = astToString(await openapiTS(contract));
  const written = await readFile(new URL("./schema.ts", import.meta.url), "utf8");
  // The file begins with a comment that the command adds.
  expect(written.slice(written.indexOf("export "))).toBe(wanted.slice(wanted.indexOf("export ")));
}, 60_000);

it("knows every address that the client asks", async () => {
  const { paths } = JSON.parse(await readFile(contract, "utf8")) as { paths: object };
  const known = Object.keys(paths).map(
    (path) => new RegExp(`^${path.replace(/\{path\}/, ".+").replace(/\{\w+\}/g, "[^/]+")}$`),
  );
  const asked: string[] = [];
  const before = globalThis.fetch;
  globalThis.fetch = async (input) => {
    asked.push(String(input).split("?")[0] ?? "");
    return Response.json({ items: [], upload: { headers: {} }, asset: {} });
  };
  try {
    const { api } = await import("./client");
    for (const group of Object.values({ top: { config: api.config }, ...api })) {
      if (typeof group === "function") continue;
      for (const call of Object.values(group)) {
        const given = await (call as (...args: unknown[]) => unknown)("id", "name", {}, {});
        if (typeof given === "string" && given.startsWith("/"))
          asked.push(given.split("?")[0] ?? "");
      }
    }
  } finally {
    globalThis.fetch = before;
  }
  expect(asked.length).toBeGreaterThan(35);
  expect(asked.filter((path) => !known.some((it) => it.test(path)))).toEqual([]);
});
