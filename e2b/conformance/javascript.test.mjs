// The checklist of E2B's protocol: npm's `e2b` against whatever E2B_API_URL names.
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AuthenticationError, CommandExitError, FileNotFoundError, InvalidArgumentError, NotFoundError, Sandbox, Template, TimeoutError } from "e2b";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function soon(what, check) {
  for (const end = Date.now() + 10_000; !(await check()); await pause(50)) assert.ok(Date.now() < end, what);
}
/** Runs with a sandbox of its own. */
const inSandbox = (act, options = {}) => async () => {
  const sandbox = await Sandbox.create("base", { timeoutMs: 60_000, ...options });
  try {
    await act(sandbox);
  } finally {
    await sandbox.kill();
  }
};
const SERVER = `node -e "require('http').createServer((q,s)=>s.end('seen '+q.url+' at '+q.headers.host)).listen(3000,'127.0.0.1')"`;
/** Asks a sandbox's port, with headers of one's own. */
const visit = (sandbox, port, headers = {}) =>
  fetch(`${process.env.E2B_SANDBOX_URL}/a?b`, { headers: { "e2b-sandbox-id": sandbox.sandboxId, "e2b-sandbox-port": `${port}`, ...headers } });

describe("sandboxes", () => {
  it("have the metadata, variables and time they were made with", inSandbox(async (sandbox) => {
    const info = await sandbox.getInfo();
    assert.equal(info.metadata.owner, "a b&c=d%");
    assert.ok(Math.abs(info.endAt - info.startedAt - 60_000) < 1500);
    assert.equal((await sandbox.commands.run("echo $X $E2B_SANDBOX_ID")).stdout, `ü ${sandbox.sandboxId}\n`);
  }, { metadata: { owner: "a b&c=d%" }, envs: { X: "ü" } }));

  it("of an unknown template, or with a wrong key, are refused", async () => {
    await assert.rejects(Sandbox.create("no-such"), /404/);
    await assert.rejects(Sandbox.create("base", { apiKey: `e2b_${"1".repeat(40)}` }), AuthenticationError);
  });

  it("are listed by metadata and state, page by page", async () => {
    const made = await Promise.all([1, 2, 3].map(() => Sandbox.create("base", { metadata: { list: "j s", "k&=": "1=2%é+" } })));
    const listed = [];
    const pages = Sandbox.list({ query: { metadata: { list: "j s", "k&=": "1=2%é+" }, state: ["running"] }, limit: 2 });
    while (pages.hasNext) listed.push(...(await pages.nextItems()));
    assert.deepEqual(new Set(listed.map((s) => s.sandboxId)), new Set(made.map((s) => s.sandboxId)));
    await Promise.all(made.map((s) => s.kill()));
  });

  it("end once, and are gone then", async () => {
    const sandbox = await Sandbox.create("base");
    assert.equal(await sandbox.kill(), true);
    assert.equal(await sandbox.kill(), false);
    assert.equal(await sandbox.isRunning(), false);
    await assert.rejects(Sandbox.connect(sandbox.sandboxId), NotFoundError);
    await assert.rejects(sandbox.commands.run("true"));
  });

  it("run out of time", async () => {
    const sandbox = await Sandbox.create("base");
    await sandbox.setTimeout(1000);
    await soon("it outlived its timeout", async () => !(await sandbox.isRunning()));
    await assert.rejects(sandbox.files.read("x"));
  });

  it("keep files and processes while they are paused", inSandbox(async (sandbox) => {
    await sandbox.files.write("kept", "1");
    const process = await sandbox.commands.run("sleep 50", { background: true });
    await sandbox.pause();
    assert.equal((await Sandbox.getInfo(sandbox.sandboxId)).state, "paused");
    const resumed = await Sandbox.connect(sandbox.sandboxId);
    assert.equal(await resumed.files.read("kept"), "1");
    assert.ok((await resumed.commands.list()).some((p) => p.pid === process.pid));
  }));

  it("say what they use", inSandbox(async (sandbox) => {
    const [metric] = await sandbox.getMetrics();
    assert.ok(metric.memUsed > 0);
  }));

  it("answer on their ports, and closed ones with 502", inSandbox(async (sandbox) => {
    await sandbox.commands.run(SERVER, { background: true });
    await soon("nobody listens", async () => (await visit(sandbox, 3000)).status === 200);
    assert.match(await (await visit(sandbox, 3000)).text(), /^seen \/a\?b at /);
    const closed = await visit(sandbox, 3001);
    assert.equal(closed.status, 502);
    assert.equal((await closed.json()).port, 3001);
  }));

  it("that are not public answer whoever has the traffic token, under the host they were told", inSandbox(async (sandbox) => {
    await sandbox.commands.run(SERVER, { background: true });
    const token = { "e2b-traffic-access-token": sandbox.trafficAccessToken };
    await soon("nobody listens", async () => (await visit(sandbox, 3000, token)).status === 200);
    assert.equal(await (await visit(sandbox, 3000, token)).text(), "seen /a?b at inside:3000");
    assert.equal((await visit(sandbox, 3000)).status, 403);
    assert.equal((await visit(sandbox, 3000, { "e2b-traffic-access-token": "other" })).status, 403);
  }, { network: { allowPublicTraffic: false, maskRequestHost: "inside:${PORT}" } }));

  it("that pause when their time is out go on when somebody visits", async () => {
    const sandbox = await Sandbox.create("base", { timeoutMs: 60_000, lifecycle: { onTimeout: "pause", autoResume: true } });
    const server = await sandbox.commands.run(SERVER, { background: true });
    // The client would ask after the sandbox when its output breaks off, and that is a visit as well.
    await server.disconnect();
    await soon("nobody listens", async () => (await visit(sandbox, 3000)).status === 200);
    await sandbox.setTimeout(1000);
    const state = async () => (await Sandbox.getInfo(sandbox.sandboxId)).state;
    await soon("it was not paused", async () => (await state()) === "paused");
    assert.equal((await visit(sandbox, 3000)).status, 200);
    assert.equal(await state(), "running");
    await sandbox.kill();
  });
});

describe("files", () => {
  it("arrive exactly, whatever they are and however they are called", inSandbox(async ({ files }) => {
    const every = Uint8Array.from({ length: 256 }, (_, n) => n);
    for (const [name, bytes] of [["empty", new Uint8Array()], ["a/b c/ü.bin", every], ["large", new Uint8Array(10 << 20).fill(7)]]) {
      await files.write(name, bytes.buffer);
      const read = await files.read(name, { format: "bytes" });
      assert.ok(Buffer.from(read).equals(Buffer.from(bytes)), name);
    }
    const many = await files.write([1, 2, 3].map((n) => ({ path: `many/${n} x.txt`, data: `${n}` })));
    assert.deepEqual(many.map((f) => f.path), [1, 2, 3].map((n) => `/home/user/many/${n} x.txt`));
  }));

  it("that are missing, or are folders, say so", inSandbox(async ({ files }) => {
    await assert.rejects(files.read("none"), FileNotFoundError);
    await assert.rejects(files.list("none"), NotFoundError);
    await assert.rejects(files.read("/tmp"), /directory/);
    await assert.rejects(files.list("/etc/passwd"), InvalidArgumentError);
  }));

  it("are listed, made, moved, told and removed", inSandbox(async ({ files, commands }) => {
    assert.equal(await files.makeDir("d/e"), true);
    assert.equal(await files.makeDir("d/e"), false);
    await files.write("d/e/f", "12345");
    assert.equal((await files.list("d", { depth: 2 })).length, 2);
    const moved = await files.rename("d/e/f", "d/g");
    assert.equal(moved.path, "/home/user/d/g");
    await commands.run("chmod 640 d/g && ln -s g d/link");
    const info = await files.getInfo("d/g");
    assert.deepEqual([info.size, info.permissions, info.owner, info.type], [5, "-rw-r-----", "user", "file"]);
    assert.equal((await files.getInfo("d/link")).symlinkTarget, "/home/user/d/g");
    await files.remove("d");
    assert.equal(await files.exists("d"), false);
  }));

  it("belong to whoever wrote them", inSandbox(async ({ files }) => {
    await files.write("theirs", "1", { user: "root" });
    const info = await files.getInfo("/root/theirs", { user: "root" });
    assert.equal(info.owner, "root");
  }));

  it("are watched", inSandbox(async ({ files }) => {
    await files.makeDir("w/deep");
    const seen = [];
    const watch = await files.watchDir("w", (event) => seen.push(`${event.type} ${event.name}`), { recursive: true });
    await files.write("w/deep/a", "1");
    await files.rename("w/deep/a", "w/b");
    await files.remove("w/b");
    for (const event of ["create deep/a", "write deep/a", "rename deep/a", "create b", "remove b"]) {
      await soon(`${event} was not seen`, () => seen.includes(event));
    }
    await watch.stop();
  }));

  it("go in and out by signed addresses", inSandbox(async (sandbox) => {
    await sandbox.files.write("my file.txt", "content");
    const route = { "e2b-sandbox-id": sandbox.sandboxId, "e2b-sandbox-port": "49983" };
    const read = await sandbox.downloadUrl("my file.txt", { useSignatureExpiration: 10_000 });
    assert.equal(await (await fetch(read, { headers: route })).text(), "content");
    assert.equal((await fetch(read.replace("my+file", "other"), { headers: route })).status, 401);
    const form = new FormData();
    form.append("file", new Blob(["up"]), "up.txt");
    const write = await sandbox.uploadUrl("up.txt", { useSignatureExpiration: 10_000 });
    assert.equal((await fetch(write, { method: "POST", body: form, headers: route })).status, 200);
    assert.equal(await sandbox.files.read("up.txt"), "up");
  }));
});

describe("processes", () => {
  it("tell exit codes and both outputs", inSandbox(async ({ commands }) => {
    const failed = await commands.run("echo out; echo err >&2; exit 7").catch((e) => e);
    assert.ok(failed instanceof CommandExitError);
    assert.deepEqual([failed.exitCode, failed.stdout, failed.stderr], [7, "out\n", "err\n"]);
    assert.equal((await commands.run("no-such-program").catch((e) => e)).exitCode, 127);
    const large = await commands.run("head -c 5000000 /dev/zero | tr '\\0' x");
    assert.equal(large.stdout.length, 5_000_000);
    const cut = await commands.run("printf '\\xe6\\x97'; sleep 0.2; printf '\\xa5'");
    assert.equal(cut.stdout, "日");
  }));

  it("have the folder, user and variables they were given", inSandbox(async ({ commands }) => {
    const run = await commands.run("pwd; whoami; echo $A", { cwd: "/tmp", user: "root", envs: { A: "b c" } });
    assert.equal(run.stdout, "/tmp\nroot\nb c\n");
    await assert.rejects(commands.run("true", { cwd: "/no/such" }), /no\/such/);
  }));

  it("run in the background, are connected to, fed and killed", inSandbox(async ({ commands }) => {
    const cat = await commands.run("cat", { background: true, stdin: true });
    await cat.disconnect();
    const again = await commands.connect(cat.pid);
    await commands.sendStdin(cat.pid, "typed");
    await soon("nothing came back", () => again.stdout === "typed");
    assert.ok((await commands.list()).some((p) => p.pid === cat.pid));
    assert.equal(await commands.kill(cat.pid), true);
    assert.equal(await commands.kill(cat.pid), false);
    await soon("it lives on", async () => (await commands.list()).length === 0);
  }));

  it("are ended by a timeout", inSandbox(async ({ commands }) => {
    await assert.rejects(commands.run("sleep 60", { timeoutMs: 500 }), TimeoutError);
  }));

  it("have terminals of any size", inSandbox(async ({ pty }) => {
    let text = "";
    const terminal = await pty.create({ cols: 100, rows: 30, onData: (bytes) => (text += Buffer.from(bytes).toString()) });
    await pty.sendInput(terminal.pid, new TextEncoder().encode("stty size\n"));
    await soon("no size", () => text.includes("30 100"));
    await pty.resize(terminal.pid, { cols: 50, rows: 20 });
    await pty.sendInput(terminal.pid, new TextEncoder().encode("stty size; exit\n"));
    await terminal.wait();
    assert.match(text, /20 50/);
  }));
});

describe("templates", () => {
  it("are built from uploaded layers, tagged, used and reported", async () => {
    const context = await mkdtemp(join(tmpdir(), "e2b-context-"));
    await writeFile(join(context, "hello.txt"), "hello");
    const template = () => Template({ fileContextPath: context }).fromImage("debian:13-slim").setEnvs({ GREETING: "hi" }).copy("hello.txt", "/opt/x/hello.txt").runCmd("echo built > /home/user/made");
    const lines = [];
    const built = await Template.build(template(), "js-template:v1", { onBuildLogs: (entry) => lines.push(entry.message) });
    assert.ok(lines.some((line) => line.includes("RUN")), lines.join("\n"));
    assert.equal(await Template.exists("js-template"), true);
    await Template.assignTags("js-template:v1", ["stable"]);
    const sandbox = await Sandbox.create("js-template:stable");
    assert.equal((await sandbox.commands.run("cat /opt/x/hello.txt ~/made; echo $GREETING")).stdout, "hellobuilt\nhi\n");
    assert.equal((await sandbox.getInfo()).templateId, built.templateId);
    await sandbox.kill();
  });

  it("say which step failed, with its log", async () => {
    const lines = [];
    const failing = Template().fromImage("debian:13-slim").runCmd("echo fine").runCmd("echo went wrong; exit 3");
    await assert.rejects(Template.build(failing, "js-failing", { onBuildLogs: (entry) => lines.push(entry.message) }), /went wrong|exit status 3/);
    assert.ok(lines.some((line) => line.includes("went wrong")));
  });

  it("start what they are told before a sandbox is given out", async () => {
    const serving = Template().fromImage("debian:13-slim").setStartCmd(SERVER, "curl -fs localhost:3000");
    await Template.build(serving, "js-serving");
    const sandbox = await Sandbox.create("js-serving");
    assert.equal((await sandbox.commands.run("curl -s localhost:3000/x")).stdout, "seen /x at localhost:3000");
    await sandbox.kill();
  });
});
