/** Every call that the canvas makes. Only this folder calls `fetch`. */

import { errorFrom, isAbort, networkError } from "./errors";
import { idempotencyKey } from "./ids";
import type {
  Asset,
  AssetRole,
  Config,
  DesignPatch,
  Document,
  EditableDesign,
  Plan,
  PreviewTicket,
  Project,
  ProjectSummary,
  Render,
  RenderSpec,
  Session,
  SessionEvent,
  SettingsPatch,
  Upload,
  Usage,
  Version,
  VersionDiff,
  VersionSummary,
} from "./types";

interface Options {
  body?: unknown;
  query?: Record<string, string | number | null | undefined>;
  headers?: Record<string, string>;
  signal?: AbortSignal | null | undefined;
  /** Let the request outlive the page (the last save when a tab closes). */
  keepalive?: boolean;
}

/** For calls that create: the same key makes a repetition one call. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  key?: string | undefined;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface MessageInput {
  text: string;
  attachments?: string[];
  context?: string[];
}

export type Decision =
  | { decision: "approve"; hash: string; plan?: Plan }
  | { decision: "reject"; hash: string; reason?: string };

const V1 = "/api/v1";

async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const headers: Record<string, string> = { accept: "application/json", ...options.headers };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(query.size ? `${path}?${query}` : path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
      keepalive: options.keepalive ?? false,
    });
  } catch (thrown) {
    throw isAbort(thrown) ? thrown : networkError();
  }
  if (!response.ok) throw errorFrom(response, await response.json().catch(() => null));
  return response;
}

async function json<T>(method: string, path: string, options?: Options): Promise<T> {
  const response = await send(method, path, options);
  return (await response.json()) as T;
}

async function nothing(method: string, path: string, options?: Options): Promise<void> {
  await send(method, path, options);
}

const once = (call: CallOptions | undefined): Options => ({
  signal: call?.signal,
  headers: { "idempotency-key": call?.key ?? idempotencyKey() },
});

/** Ids come from documents too, which anybody may have written: nothing in one leads elsewhere. */
const plain = (id: string) => id.replace(/[^\w-]/g, "_");
const session = (id: string) => `${V1}/sessions/${plain(id)}`;
const project = (id: string) => `${V1}/projects/${plain(id)}`;
/** A file path keeps its slashes. */
const filePath = (path: string) => path.split("/").map(encodeURIComponent).join("/");

export const api = {
  config: (signal?: AbortSignal) => json<Config>("GET", `${V1}/config`, { signal }),

  projects: {
    list: (cursor?: string | null, limit?: number, signal?: AbortSignal) =>
      json<Page<ProjectSummary>>("GET", `${V1}/projects`, { query: { cursor, limit }, signal }),
    create: (name: string, call?: CallOptions) =>
      json<Project>("POST", `${V1}/projects`, { ...once(call), body: { name } }),
    get: (id: string, signal?: AbortSignal) => json<Project>("GET", project(id), { signal }),
    /** Writes the whole document; a revision other than the server's is a `conflict`. */
    put: (
      id: string,
      revision: number,
      body: { name: string; document: Document },
      options: { signal?: AbortSignal; keepalive?: boolean } = {},
    ) =>
      json<{ revision: number; updated_at: string }>("PUT", project(id), {
        ...options,
        body,
        headers: { "if-match": `"${revision}"` },
      }),
    remove: (id: string, keepalive = false) => nothing("DELETE", project(id), { keepalive }),
    duplicate: (id: string, call?: CallOptions) =>
      json<Project>("POST", `${project(id)}/duplicate`, once(call)),
    sessions: (id: string, signal?: AbortSignal) =>
      json<{ items: Session[]; usage: Usage }>("GET", `${project(id)}/sessions`, { signal }),
    assets: (id: string, signal?: AbortSignal) =>
      json<{ items: Asset[] }>("GET", `${project(id)}/assets`, { signal }),
    eventsUrl: (id: string) => `${project(id)}/events`,
  },

  sessions: {
    create: (
      projectId: string,
      body: { node_id: string; settings?: SettingsPatch },
      call?: CallOptions,
    ) => json<Session>("POST", `${project(projectId)}/sessions`, { ...once(call), body }),
    get: (id: string, signal?: AbortSignal) => json<Session>("GET", session(id), { signal }),
    remove: (id: string) => nothing("DELETE", session(id)),
    settings: (id: string, patch: SettingsPatch, signal?: AbortSignal) =>
      json<Session>("PATCH", `${session(id)}/settings`, { body: patch, signal }),
    design: (id: string, signal?: AbortSignal) =>
      json<EditableDesign>("GET", `${session(id)}/design`, { signal }),
    editDesign: (id: string, patch: DesignPatch) =>
      json<Session>("PATCH", `${session(id)}/design`, { body: patch }),
    message: (id: string, body: MessageInput, call?: CallOptions) =>
      json<{ message_id: string; queued: boolean }>("POST", `${session(id)}/messages`, {
        ...once(call),
        body,
      }),
    plan: (id: string, body: Decision, call?: CallOptions) =>
      json<Session>("POST", `${session(id)}/plan`, { ...once(call), body }),
    stop: (id: string) => json<Session>("POST", `${session(id)}/stop`),
    log: (id: string, after: number, limit?: number, signal?: AbortSignal) =>
      json<{ items: SessionEvent[]; last_seq: number }>("GET", `${session(id)}/log`, {
        query: { after, limit },
        signal,
      }),
    eventsUrl: (id: string) => `${session(id)}/events`,
    preview: (id: string, versionId?: string | null, signal?: AbortSignal) =>
      json<PreviewTicket>("POST", `${session(id)}/preview`, {
        body: versionId ? { version_id: versionId } : {},
        signal,
      }),
    sheetUrl: (id: string, blob: string) => `${session(id)}/sheets/${plain(blob)}`,
  },

  files: {
    list: (id: string, version?: string | null, signal?: AbortSignal) =>
      json<{ items: { path: string; size: number; blob: string }[] }>(
        "GET",
        `${session(id)}/files`,
        { query: { version }, signal },
      ),
    text: async (id: string, path: string, version?: string | null, signal?: AbortSignal) => {
      const response = await send("GET", `${session(id)}/files/${filePath(path)}`, {
        query: { version },
        headers: { accept: "*/*" },
        signal,
      });
      return response.text();
    },
    url: (id: string, path: string, version?: string | null) =>
      `${session(id)}/files/${filePath(path)}${version ? `?version=${encodeURIComponent(version)}` : ""}`,
  },

  versions: {
    list: (id: string, signal?: AbortSignal) =>
      json<{ items: VersionSummary[] }>("GET", `${session(id)}/versions`, { signal }),
    get: (id: string, version: string, signal?: AbortSignal) =>
      json<Version>("GET", `${session(id)}/versions/${plain(version)}`, { signal }),
    diff: (id: string, version: string, against?: string | null, signal?: AbortSignal) =>
      json<VersionDiff>("GET", `${session(id)}/versions/${plain(version)}/diff`, {
        query: { against },
        signal,
      }),
    restore: (id: string, version: string, call?: CallOptions) =>
      json<Version>("POST", `${session(id)}/versions/${plain(version)}/restore`, once(call)),
    zipUrl: (id: string, version: string) => `${session(id)}/versions/${plain(version)}/zip`,
  },

  renders: {
    list: (id: string, signal?: AbortSignal) =>
      json<{ items: Render[] }>("GET", `${session(id)}/renders`, { signal }),
    create: (id: string, spec: Partial<RenderSpec>, call?: CallOptions) =>
      json<Render>("POST", `${session(id)}/renders`, { ...once(call), body: spec }),
    get: (id: string, render: string, signal?: AbortSignal) =>
      json<Render>("GET", `${session(id)}/renders/${plain(render)}`, { signal }),
    cancel: (id: string, render: string) =>
      json<Render>("POST", `${session(id)}/renders/${plain(render)}/cancel`),
    remove: (id: string, render: string) =>
      nothing("DELETE", `${session(id)}/renders/${plain(render)}`),
    fileUrl: (id: string, render: string, download = false) =>
      `${session(id)}/renders/${plain(render)}/file${download ? "?download=1" : ""}`,
    posterUrl: (id: string, render: string) => `${session(id)}/renders/${plain(render)}/poster`,
  },

  assets: {
    announce: (
      projectId: string,
      body: { filename: string; media_type: string; size: number; sha256?: string },
      call?: CallOptions,
    ) =>
      json<{ asset: Asset; upload: Upload }>("POST", `${project(projectId)}/assets`, {
        ...once(call),
        body,
      }),
    commit: (id: string, signal?: AbortSignal) =>
      json<Asset>("POST", `${V1}/assets/${plain(id)}/commit`, { signal }),
    get: (id: string, signal?: AbortSignal) =>
      json<Asset>("GET", `${V1}/assets/${plain(id)}`, { signal }),
    setRole: (id: string, role: AssetRole | null) =>
      json<Asset>("PATCH", `${V1}/assets/${plain(id)}`, { body: { role } }),
    remove: (id: string) => nothing("DELETE", `${V1}/assets/${plain(id)}`),
    contentUrl: (id: string) => `${V1}/assets/${plain(id)}/content`,
  },
};

export type Api = typeof api;
