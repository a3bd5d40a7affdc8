/** An in-memory stand-in for the server's canvas routes, for tests. It answers by the contract, not by wish. */

import type { Asset, Config, Project, Session } from "../api/types";
import { problem } from "../graph/validate";

export interface FakeServer {
  fetch: typeof fetch;
  projects: Map<string, Project>;
  sessions: Map<string, Session>;
  assets: Map<string, Asset>;
  /** `PUT /api/v1/projects/…` and the like, in order. */
  calls: string[];
  /** Every request fails as if the network were gone. */
  offline: boolean;
  config: Config;
}

export const CONFIG: Config = {
  version: "0.1.0",
  models: {
    orchestrator: { provider: "demo", model: "demo", is_ai: false },
    code_generator: { provider: "demo", model: "demo", is_ai: false },
  },
  sandbox: { name: "local", isolation: "bubblewrap namespaces" },
  engines: ["remotion", "theatre"],
  fonts: ["Inter", "Space Grotesk"],
  limits: { message_bytes: 32768, asset_bytes: 104857600, min_seconds: 1, max_seconds: 120 },
  examples: [
    { title: "Kinetic typography", prompt: 'Kinetic typography: "Ideas move fast", 6 seconds' },
    { title: "Animated chart", prompt: "Bar chart of sales: Q1 10, Q2 25, Q3 40, Q4 62" },
    { title: "Logo reveal", prompt: 'Reveal our logo for "Northwind"' },
  ],
};

let counter = 0;
const id = (prefix: string) =>
  `${prefix}_${(counter++).toString(32).replace(/[il]/g, "z").padStart(26, "0")}`;

class Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  constructor(status: number, code: string, message: string) {
    this.status = status;
    this.code = code;
    this.message = message;
  }
}

export function createFakeServer(): FakeServer {
  const server: FakeServer = {
    projects: new Map(),
    sessions: new Map(),
    assets: new Map(),
    calls: [],
    offline: false,
    config: CONFIG,
    fetch: async (input, init) => {
      const request = new Request(new URL(String(input), "http://koda.test"), init);
      const { pathname } = new URL(request.url);
      server.calls.push(`${request.method} ${pathname}`);
      if (server.offline) throw new TypeError("Failed to fetch");
      try {
        return await answer(server, request, pathname);
      } catch (thrown) {
        if (!(thrown instanceof Refusal)) throw thrown;
        const { status, code, message } = thrown;
        return Response.json({ error: { code, message, request_id: "req_test" } }, { status });
      }
    },
  };
  return server;
}

/** Puts a project into the fake. */
export function seed(server: FakeServer, change: Partial<Project> = {}): Project {
  const now = new Date(1_790_000_000_000 + counter * 1000).toISOString();
  const project: Project = {
    id: id("prj"),
    name: "Launch film",
    revision: 1,
    created_at: now,
    updated_at: now,
    document: { schema: 1, nodes: [], edges: [], viewport: { x: 0, y: 0, zoom: 1 } },
    ...change,
  };
  server.projects.set(project.id, project);
  return structuredClone(project);
}

async function answer(server: FakeServer, request: Request, path: string): Promise<Response> {
  const [, , , collection, key, action] = path.split("/");
  const { method } = request;
  const body = async <T>() => (await request.json()) as T;
  if (path === "/api/v1/config") return Response.json(server.config);
  if (collection === "projects") {
    if (!key && method === "GET") return Response.json(list(server, request));
    if (!key) return Response.json(seed(server, await body<{ name: string }>()), { status: 201 });
    const project = server.projects.get(key);
    if (!project) throw new Refusal(404, "not_found", "There is no such project.");
    if (!action) return one(server, project, request);
    if (action === "duplicate") {
      const name = `${project.name} (copy)`;
      const { document } = structuredClone(project);
      return Response.json(seed(server, { name, document }), { status: 201 });
    }
    if (action === "sessions" && method === "POST") {
      const { node_id } = await body<{ node_id: string }>();
      const session = { id: id("ses"), project_id: key, seq: 1, state: { node_id, renders: [] } };
      server.sessions.set(session.id, session as unknown as Session);
      return Response.json(session, { status: 201 });
    }
    const items =
      action === "sessions" ? [...server.sessions.values()] : [...server.assets.values()];
    return Response.json({ items: items.filter((it) => it.project_id === key) });
  }
  if (collection === "sessions" && key) {
    if (!server.sessions.has(key)) throw new Refusal(404, "not_found", "There is no such session.");
    if (method === "DELETE") {
      server.sessions.delete(key);
      return new Response(null, { status: 204 });
    }
    if (action === "messages")
      return Response.json({ message_id: id("msg"), queued: false }, { status: 202 });
  }
  throw new Refusal(404, "not_found", `There is no ${method} ${path}.`);
}

function list(server: FakeServer, request: Request) {
  const query = new URL(request.url).searchParams;
  const limit = Number(query.get("limit") ?? 50);
  const from = Number(query.get("cursor") ?? 0);
  const all = [...server.projects.values()].sort((a, b) =>
    b.updated_at.localeCompare(a.updated_at),
  );
  const items = all.slice(from, from + limit).map(({ document: _document, ...rest }) => rest);
  return { items, next_cursor: from + limit < all.length ? String(from + limit) : null };
}

async function one(server: FakeServer, project: Project, request: Request): Promise<Response> {
  if (request.method === "GET") return Response.json(project);
  if (request.method === "DELETE") {
    server.projects.delete(project.id);
    return new Response(null, { status: 204 });
  }
  if (request.headers.get("if-match") !== `"${project.revision}"`)
    throw new Refusal(409, "conflict", "The project was changed meanwhile.");
  const next = (await request.json()) as Pick<Project, "name" | "document">;
  const wrong = problem(next.document);
  if (wrong) throw new Refusal(422, "invalid", wrong);
  Object.assign(project, next, {
    revision: project.revision + 1,
    updated_at: new Date(Date.parse(project.updated_at) + 1000).toISOString(),
  });
  return Response.json({ revision: project.revision, updated_at: project.updated_at });
}
