import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer as createHttpServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { launch, look, openCapture, shoot, templates, watch, Workspace } from "./workspace.mjs";

/** What both templates share, file by file; each must run by itself, so each has its own copy. */
const shared = [
  "index.html", "tsconfig.json", "vite.config.ts", "dev.mjs",
  ...["card.ts", "contract.ts", "design.ts", "engine.ts", "environment.ts", "faults.ts", "fonts.ts", "main.ts", "measure.ts", "motion.ts", "page.ts",
    "pending.tsx", "playback.ts", "resources.ts", "soundtrack.ts", "stage.ts", "standalone.ts", "transport.ts", "wait.ts",
    "server/config.mjs", "server/imports.mjs", "server/media.mjs", "server/plugin.mjs", "server/probe.mjs", "server/serve.mjs", "server/transcode.mjs",
    "server/watch.mjs"].map((file) => `src/koda/${file}`),
];

test("the templates share one runtime", () => {
  for (const file of shared) {
    assert.equal(readFileSync(join(templates, "theatre", file), "utf8"), readFileSync(join(templates, "remotion", file), "utf8"), file);
  }
});

test("it is said of everything that Remotion exports what becomes of it", async () => {
  const table = readFileSync(join(templates, "../docs/REMOTION.md"), "utf8").matchAll(/^\| (`[^|]*) \|/gm);
  const said = [...table].flatMap(([, names]) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const remotion = await import(join(templates, "remotion/node_modules/remotion/dist/esm/index.mjs"));
  assert.deepEqual(said.toSorted(), Object.keys(remotion).toSorted());
});

test("whatever html-in-canvas draws has something in its place for browsers that cannot", async () => {
  const { replaced } = await import(join(templates, "remotion/src/koda/server/dependencies.mjs"));
  const read = (path) => readFileSync(join(templates, "remotion", path), "utf8");
  const made = (text) => [...text.matchAll(/(\w+) = makeHtmlInCanvasPresentation\(/g)].map(([, name]) => name.replace(/^make([A-Z])/, (_, first) => first.toLowerCase()));
  const files = readdirSync(join(templates, "remotion/node_modules/@remotion/transitions/dist/esm"));
  for (const name of files) {
    const text = read(`node_modules/@remotion/transitions/dist/esm/${name}`);
    if (!text.includes("HtmlInCanvas")) continue;
    const module = name === "index.mjs" ? "@remotion/transitions" : `@remotion/transitions/${name.replace(".mjs", "")}`;
    const ours = read(`src/koda/${replaced[module]}`);
    assert.ok(made(text).length > 0);
    for (const transition of made(text)) assert.match(ours, new RegExp(`export const ${transition} = fadeInstead\\(`));
  }
  const shapes = Object.keys(await import(join(templates, "remotion/node_modules/@remotion/shapes/dist/esm/index.mjs"))).filter((name) => /^[A-Z]/.test(name));
  for (const shape of shapes) assert.match(read("src/koda/shapes.ts"), new RegExp(`export const ${shape} = withoutEffects\\(`));
});

for (const engine of ["remotion", "theatre"]) {
  describe(`the ${engine} template`, () => {
    const packageJson = JSON.parse(readFileSync(join(templates, engine, "package.json"), "utf8"));
    const lock = readFileSync(join(templates, engine, "package-lock.json"), "utf8");

    test("pins every package, from no registry in particular", () => {
      for (const [name, version] of Object.entries({ ...packageJson.dependencies, ...packageJson.devDependencies })) assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.ok(!lock.includes('"resolved"'));
      const { packages } = JSON.parse(lock);
      assert.deepEqual(packages[""].dependencies, packageJson.dependencies);
      const remotion = Object.entries(packageJson.dependencies).filter(([name]) => /^(@remotion\/|remotion$)/.test(name));
      assert.ok(new Set(remotion.map(([, version]) => version)).size <= 1);
      assert.ok(!/@theatre\/(studio|r3f)/.test(lock));
    });

    test("runs the example of its API guide", async () => {
      const guide = readFileSync(join(templates, engine, "API.md"), "utf8");
      const blocks = [...guide.matchAll(/```(tsx?)\n([\s\S]*?)```/g)].map(([, language, code]) => ({ language, code }));
      const workspace = new Workspace(engine);
      for (const { language, code } of blocks) {
        const path = language === "tsx" ? "src/Composition.tsx" : code.includes("export const design") ? "src/design.ts" : code.includes("src/animation.ts") ? "src/animation.ts" : null;
        if (path) workspace.write(path, code);
      }
      await workspace.start();
      const browser = await launch(engine);
      try {
        const checked = spawnSync(join(templates, engine, "node_modules/.bin/tsc"), ["--noEmit"], { cwd: workspace.root, encoding: "utf8" });
        assert.equal(checked.status, 0, checked.stdout);
        const { page, complaints } = await openCapture(browser, workspace, 640, 360);
        const { colors } = await look(page, await shoot(page, 75));
        assert.ok(colors > 20);
        assert.ok(!(await shoot(page, 10)).equals(await shoot(page, 75)));
        assert.deepEqual(complaints, []);
      } finally {
        await browser.close();
        await workspace.close();
      }
    });

    test("type-checks, builds, and prepares its packages by its scripts", async () => {
      const workspace = new Workspace(engine);
      const cache = mkdtempSync(join(tmpdir(), "koda-cache-"));
      try {
        for (const script of ["typecheck", "build", "optimize"]) {
          execFileSync("npm", ["run", "--silent", script], { cwd: workspace.root, stdio: "pipe", env: { ...process.env, KODA_VITE_CACHE: cache } });
        }
        assert.ok(readFileSync(join(workspace.root, "dist/index.html"), "utf8").includes("stage"));
        assert.ok(existsSync(join(cache, "deps/_metadata.json")));
      } finally {
        await workspace.close();
        rmSync(cache, { recursive: true, force: true });
      }
    });

    test("starts with a cache of its own beside packages that it leaves alone", async () => {
      const cache = mkdtempSync(join(tmpdir(), "koda-cache-"));
      const workspace = await new Workspace(engine).start({ KODA_VITE_CACHE: cache });
      const browser = await launch(engine);
      try {
        const { page, complaints } = await openCapture(browser, workspace, 640, 360);
        assert.ok(readdirSync(join(cache, "deps")).length > 10);
        // Nothing is prepared a second time when the page asks for it.
        const reloads = watch(page, workspace.origin);
        await page.reload();
        await page.evaluate(() => window.koda.ready);
        assert.deepEqual([...complaints, ...reloads], []);
      } finally {
        await browser.close();
        await workspace.close();
        rmSync(cache, { recursive: true, force: true });
      }
    });

    test("serves page and hot reload on a Unix socket too, and cleans nothing else up", async () => {
      const folder = mkdtempSync(join(tmpdir(), "koda-socket-"));
      const socketPath = join(folder, "dev.sock");
      const workspace = await new Workspace(engine).start({ KODA_SOCKET: socketPath });
      // A proxy stands before the socket, as in production.
      const proxy = createHttpServer((incoming, outgoing) => {
        const onward = request({ socketPath, path: incoming.url, method: incoming.method, headers: incoming.headers }, (answer) => {
          outgoing.writeHead(answer.statusCode, answer.headers);
          answer.pipe(outgoing);
        });
        incoming.pipe(onward);
      });
      proxy.on("upgrade", (incoming, connection, head) => {
        const onward = request({ socketPath, path: incoming.url, headers: incoming.headers });
        onward.end();
        onward.on("upgrade", (answer, upstream, first) => {
          connection.write(`HTTP/1.1 101 Switching Protocols\r\n${Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
          upstream.write(head);
          connection.write(first);
          upstream.pipe(connection).pipe(upstream);
          for (const end of [upstream, connection]) end.on("error", () => undefined);
        });
      });
      await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
      const browser = await launch(engine);
      try {
        const page = await browser.newPage({ viewport: { width: 640, height: 412 } });
        await page.goto(`http://127.0.0.1:${proxy.address().port}/`);
        await page.evaluate(() => window.koda.ready);
        workspace.setManifest({ title: "Through the socket" });
        await page.waitForFunction(() => window.koda.info.title === "Through the socket", null, { polling: 20 });
        const frame = await page.evaluate(() => fetch("/nothing/here.png").then(({ status }) => status));
        assert.equal(frame, 404);
      } finally {
        await browser.close();
        proxy.closeAllConnections();
        proxy.close();
        await workspace.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });

    test("keeps the picture's alpha where it is asked to", async () => {
      const recipe = engine === "remotion" ? "title-card" : "title-3d";
      const workspace = await new Workspace(engine, { recipe }).start();
      const browser = await launch(engine);
      try {
        const { page } = await openCapture(browser, workspace, 640, 360, "&transparent=1");
        await shoot(page, 80);
        const picture = await page.screenshot({ omitBackground: true });
        const corner = await page.evaluate(async (base64) => {
          const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
          const context = canvas.getContext("2d");
          context.drawImage(bitmap, 0, 0);
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          let solid = 0;
          for (let at = 3; at < data.length; at += 4) if (data[at] > 200) solid++;
          return { corner: data[3], solid };
        }, picture.toString("base64"));
        assert.equal(corner.corner, 0);
        assert.ok(corner.solid > 1000);
      } finally {
        await browser.close();
        await workspace.close();
      }
    });
  });
}
