// One animation, from the outside: what a person does with it, and what can be seen of it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileNamed } from "./assets.mjs";
import { unzip } from "./zip.mjs";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** The HTTP API of a server. */
export function client(base) {
  const request = async (method, path, body) => {
    const response = await fetch(base + path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.ok) return response;
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  return {
    /** Puts bytes where a signed URL says, with the headers that were signed. */
    put: async ({ method, url, headers }, body) => {
      const response = await fetch(new URL(url, base), { method, headers, body });
      if (!response.ok) throw new Error(`${method} of an upload: ${response.status} ${await response.text()}`);
    },
    bytes: async (path) => Buffer.from(await (await request("GET", path)).arrayBuffer()),
    text: async (path) => (await request("GET", path)).text(),
    json: async (method, path, body) => {
      const text = await (await request(method, path, body)).text();
      return text ? JSON.parse(text) : null;
    },
  };
}

/** A session of a project of its own. `seconds` is how long one turn may take. */
export class Session {
  #api;
  #seconds;
  events = [];
  /** What was uploaded, by the names of the files: the asset as the server has it, and the bytes that it was given. */
  assets = new Map();

  static async begin(api, settings, seconds) {
    const session = new Session();
    session.#api = api;
    session.#seconds = seconds;
    session.project = await api.json("POST", "/api/v1/projects", { name: "Evaluation" });
    const made = await api.json("POST", `/api/v1/projects/${session.project.id}/sessions`, { node_id: "n1", settings });
    session.path = `/api/v1/sessions/${made.id}`;
    return session;
  }

  /** Reads the log until `find` gives something for an event that comes. */
  async #follow(find) {
    for (const end = Date.now() + this.#seconds * 1000; ; ) {
      const after = this.events.at(-1)?.seq ?? 0;
      const { items } = await this.#api.json("GET", `${this.path}/log?after=${after}&limit=500`);
      for (const event of items) this.events.push(event);
      const found = items.find(find);
      if (found) return found;
      if (Date.now() > end) throw new Error(`nothing came of it within ${this.#seconds} s`);
      if (items.length === 0) await pause(100);
    }
  }

  async #turn() {
    return (await this.#follow((event) => event.type === "turn_finished")).outcome;
  }

  /** Uploads a file as a browser does: announced, put where the server says, committed, and told what it is for. */
  async upload({ file, role }) {
    const { bytes, type } = await fileNamed(file);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const announced = await this.#api.json("POST", `/api/v1/projects/${this.project.id}/assets`, { filename: file, media_type: type, size: bytes.length, sha256 });
    await this.#api.put(announced.upload, bytes);
    const path = `/api/v1/assets/${announced.asset.id}`;
    const asset = await this.#api.json("POST", `${path}/commit`);
    if (role) Object.assign(asset, await this.#api.json("PATCH", path, { role }));
    if ((asset.role ?? undefined) !== role) throw new Error(`${file} is a ${asset.role}, not a ${role}`);
    this.assets.set(file, { ...asset, type, given: bytes });
  }

  /** What the server keeps of a file that was uploaded. */
  kept(asset) {
    return this.#api.bytes(`/api/v1/assets/${asset.id}/content`);
  }

  /**
   * Says something, with files that were uploaded, answers what is asked with `answer`, approves what is proposed, and gives the
   * outcome of the last turn.
   */
  async say(text, answer, files = []) {
    let from = this.events.length;
    const attachments = files.map((file) => this.assets.get(file).id);
    await this.#api.json("POST", `${this.path}/messages`, { text, attachments });
    let outcome = await this.#turn();
    if (outcome.type === "awaiting_answer" && answer) {
      await this.#api.json("POST", `${this.path}/messages`, { text: answer });
      outcome = await this.#turn();
    }
    if (outcome.type !== "awaiting_plan") return outcome;
    const proposed = this.events.slice(from).findLast((event) => event.type === "plan_proposed");
    from = this.events.length;
    await this.#api.json("POST", `${this.path}/plan`, { decision: "approve", hash: proposed.hash });
    return this.#turn();
  }

  /** Changes settings as the controls of a node do. */
  async set(settings) {
    await this.#api.json("PATCH", `${this.path}/settings`, settings);
    return this.#turn();
  }

  /** Changes words, colours, fonts or numbers by hand. */
  async edit(design) {
    await this.#api.json("PATCH", `${this.path}/design`, design);
    return this.#turn();
  }

  async state() {
    return (await this.#api.json("GET", this.path)).state;
  }

  /** The design of the working files; empty where there is none. */
  async design() {
    const text = await this.#api.text(`${this.path}/files/src/design.ts`).catch(() => "");
    const literal = text.match(/export const design = ([\s\S]*?) satisfies/);
    return literal ? JSON.parse(literal[1]) : {};
  }

  /** What the newest check saw. */
  seen() {
    return this.events.findLast((event) => event.type === "check_finished");
  }

  /** Versions and what each changed, oldest first. */
  versions() {
    return this.events.filter((event) => event.type === "version_created").map((event) => event.version);
  }

  /** Files of the newest version, by path, as the list of files has them and as the zip has them. */
  async workspace() {
    const version = this.versions().at(-1)?.id;
    if (!version) return { listed: new Map(), zipped: new Map() };
    const { items } = await this.#api.json("GET", `${this.path}/files?version=${version}`);
    const listed = new Map();
    // Only what was given is compared byte by byte; of the others the digest is enough.
    for (const { path, blob } of items) {
      const bytes = path.startsWith("public/") ? await this.#api.bytes(`${this.path}/files/${path}?version=${version}`) : null;
      listed.set(path, { blob, bytes });
    }
    return { listed, zipped: unzip(await this.#api.bytes(`${this.path}/versions/${version}/zip`)) };
  }

  /** Pixels of the newest check's contact sheet, three bytes each. */
  async pixels() {
    const sheet = this.seen()?.sheet;
    if (!sheet) return Buffer.alloc(0);
    const input = await this.#api.bytes(`${this.path}/sheets/${sheet}`);
    const { stdout } = spawnSync("ffmpeg", ["-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], { input, maxBuffer: 1 << 28 });
    return stdout;
  }

  async end() {
    await this.#api.json("DELETE", `/api/v1/projects/${this.project.id}`);
  }
}
