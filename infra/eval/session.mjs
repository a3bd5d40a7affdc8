// One animation, from the outside: what a person does with it, and what can be seen of it.
import { spawnSync } from "node:child_process";

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

  /** Says something, answers what is asked with `answer`, approves what is proposed, and gives the outcome of the last turn. */
  async say(text, answer) {
    let from = this.events.length;
    await this.#api.json("POST", `${this.path}/messages`, { text });
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
