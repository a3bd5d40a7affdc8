// Real models' protocols from end to end: a scripted provider plans, writes code that does not pass the check, and mends it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  api,
  begin,
  logOf,
  openPage,
  startBrowser,
  startModel,
  startServer,
  until,
  wholeLog,
} from "./support.mjs";

const COMPOSITION = `import { AbsoluteFill, interpolate, useCurrentFrame, useVideoConfig } from "remotion";
import { design } from "./design";

export default function Composition() {
  const frame = useCurrentFrame();
  const { durationInFrames } = useVideoConfig();
  const left = interpolate(frame, [0, durationInFrames - 1], [120, 900], { extrapolateLeft: "clamp", extrapolateRight: "clamp" });
  return (
    <AbsoluteFill style={{ backgroundColor: design.colors.background }}>
      <div style={{ position: "absolute", left, top: 420, fontSize: 140, color: design.colors.text }}>{greeting}</div>
    </AbsoluteFill>
  );
}
`;
const PLAN = {
  title: "Hello",
  summary: "A greeting crosses the frame.",
  engine: "remotion",
  scenes: [
    { title: "Crossing", description: "The word moves from left to right.", duration_seconds: 2 },
  ],
  design: {
    colors: { background: "#101020", primary: "#ffffff", accent: "#ffffff", text: "#ffffff" },
    fonts: {},
    mood: "calm",
  },
};
const SCRIPT = [
  {
    think: "A greeting, two seconds.",
    say: "Here is a plan.",
    call: [{ name: "propose_plan", input: PLAN }],
  },
  // Nobody has seen anything of this one: it is asked for again.
  {
    call: [{ name: "write_file", input: { path: "src/Composition.tsx", content: COMPOSITION } }],
    break_after: 12,
    pace_ms: 20,
  },
  { fail: { status: 529, words: "overloaded" } },
  {
    say: "I write the scene.",
    call: [
      { name: "write_file", input: { path: "src/Composition.tsx", content: COMPOSITION } },
      { name: "finish", input: { summary: "A greeting crosses the frame" } },
    ],
    split: 7,
  },
  {
    when: "The check failed",
    say: "A name is not defined; I write the word itself.",
    call: [
      {
        name: "edit_file",
        input: { path: "src/Composition.tsx", old: "{greeting}", new: "Hello" },
      },
      { name: "finish", input: { summary: "A greeting crosses the frame" } },
    ],
  },
];

const WIRES = {
  anthropic: ({ url, key }) => ({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url }),
  openai: ({ url, key }) => ({ OPENAI_API_KEY: key, OPENAI_BASE_URL: `${url}/v1` }),
};

for (const [wire, environment] of Object.entries(WIRES)) {
  test(`a model over ${wire}'s wire plans, writes, is told what is wrong, and mends it`, {
    timeout: 180_000,
  }, async () => {
    const model = await startModel(SCRIPT);
    const server = await startServer(environment(model));
    try {
      const { models } = await api(server, "GET", "/api/v1/config");
      assert.equal(models.orchestrator.provider, wire);
      assert.equal(models.orchestrator.is_ai, true);
      const project = await api(server, "POST", "/api/v1/projects", { name: "Models" });
      const session = await api(server, "POST", `/api/v1/projects/${project.id}/sessions`, {
        node_id: "n1",
      });
      const path = `/api/v1/sessions/${session.id}`;
      const find = async (type) =>
        (await logOf(server, session.id)).find((event) => event.type === type);
      await api(server, "POST", `${path}/messages`, { text: "Say hello" });
      const { hash, plan } = await until("no plan", () => find("plan_proposed"));
      assert.equal(plan.title, "Hello");
      await until("the turn does not end", () => find("turn_finished"));
      await api(server, "POST", `${path}/plan`, { decision: "approve", hash });
      const { version } = await until(
        `no version:\n${server.log()}`,
        () => find("version_created"),
        120,
      );
      assert.equal(version.number, 1);
      await until(
        "the turn does not end",
        async () =>
          (await logOf(server, session.id)).filter((event) => event.type === "turn_finished")
            .length === 2,
      );

      const events = await logOf(server, session.id);
      wholeLog(events);
      const told = events.find((event) => event.type === "model_told");
      assert.match(told.text, /src\/Composition\.tsx:10/);
      assert.match(told.text, /greeting/);
      const checks = events.filter((event) => event.type === "check_finished");
      assert.deepEqual(
        checks.map(({ report }) => !report.diagnostics.some((it) => it.severity === "error")),
        [false, true],
      );
      assert.equal(events.filter((event) => event.type === "file_written").length >= 2, true);
      assert.match(
        events
          .filter((event) => event.type === "thinking_delta")
          .map((event) => event.text)
          .join(""),
        /two seconds/,
      );
      const answers = events
        .filter((event) => event.type === "model_finished")
        .map((event) => event.answer);
      assert.equal(answers.length, 3, "a call that failed was recorded");
      assert.ok(
        answers.every(({ usage, model }) => usage.output_tokens > 0 && model === "scripted-1"),
      );
      // What the key is, nobody is told.
      assert.ok(!JSON.stringify(events).includes(model.key));
      assert.ok(!server.log().includes(model.key));
    } finally {
      await server.stop();
      await model.stop();
    }
  });
}

const wrote = (word) => [
  {
    name: "write_file",
    input: { path: "src/Composition.tsx", content: COMPOSITION.replace("{greeting}", word) },
  },
  { name: "finish", input: { summary: "Says it" } },
];
/** Builds what was planned; then nothing that it writes passes, until it is asked for the same once more. */
const STUBBORN = [
  { say: "Here is a plan.", call: [{ name: "propose_plan", input: PLAN }] },
  { say: "I write the scene.", call: wrote("Hello") },
  { when: "Say goodbye", say: "I take the word from a name.", call: wrote("{greeting}") },
  { when: "The check failed", say: "From another name.", call: wrote("{farewell}") },
  { when: "The check failed", say: "And once more.", call: wrote("{ farewell }") },
  {
    when: "Say goodbye\\n\\nThis was tried before and did not pass the check. The files are back at version 1",
    say: "I write the word itself this time.",
    call: wrote("Goodbye"),
  },
];

test("a request that did not pass its check is asked again at a press of a button, with what went wrong", {
  timeout: 180_000,
}, async (t) => {
  // What is needed last would fit the first time too.
  const [again] = STUBBORN.slice(-1);
  const model = await startModel([again, ...STUBBORN.slice(0, -1)]);
  const folder = await mkdtemp(join(tmpdir(), "koda-prices-"));
  const prices = join(folder, "prices.yaml");
  await writeFile(prices, "scripted-1: { input: 3, output: 15 }\n");
  const server = await startServer({ ...WIRES.anthropic(model), KODA_MODEL_PRICES: prices });
  const browser = await startBrowser();
  t.after(async () => {
    await browser.close();
    await server.stop();
    await model.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const problems = [];
  const page = await openPage(browser, problems);
  const shots = process.env.E2E_SHOTS;
  const shoot = async (name) => {
    if (!shots) return;
    await mkdir(shots, { recursive: true });
    await page.screenshot({ path: join(shots, `models-${name}.png`) });
  };
  await page.goto(server.url);
  const box = await begin(page, "Say hello");
  await page.getByRole("button", { name: /^Approve/ }).click({ timeout: 30_000 });
  await page.getByText("Version 1").first().waitFor({ timeout: 60_000 });

  await box.fill("Say goodbye");
  await box.press("Enter");
  const card = page.getByRole("alert").filter({ hasText: "did not pass its check" });
  await card.waitFor({ timeout: 60_000 });
  await card.getByText(/2 repairs did not mend it. The files are back at version 1/).waitFor();
  await card.getByText("What was tried").click();
  const rounds = await card.getByRole("listitem").allTextContents();
  assert.equal(rounds.length, 3);
  assert.match(rounds[0], /^First try.*src\/Composition\.tsx:10.*greeting/);
  assert.match(rounds[1], /^Repair 1.*farewell/);
  await shoot("failed");
  await card.getByRole("button", { name: "Try another way" }).click();

  await page.getByText("I write the word itself this time.").waitFor({ timeout: 30_000 });
  await page.getByText("Version 2").first().waitFor({ timeout: 60_000 });
  const [project] = (await api(server, "GET", "/api/v1/projects")).items;
  const sessions = await api(server, "GET", `/api/v1/projects/${project.id}/sessions`);
  const events = await logOf(server, sessions.items[0].id);
  const said = events.filter((event) => event.type === "message_posted").at(-1).text;
  assert.match(said, /\n- src\/Composition\.tsx:10.*greeting/);
  assert.match(said, /\n- src\/Composition\.tsx:10.*farewell/);

  // What it cost, of the turn and of the session.
  const spent = page.getByTitle("What this turn used").last();
  assert.match(await spent.innerText(), /\d s.*read, .*written.*\$0\.\d+/s);
  await spent.click();
  await page
    .getByRole("row", { name: /^1 scripted-1/ })
    .first()
    .waitFor();
  await shoot("again");
  await page.getByRole("button", { name: /^This animation has used .* tokens · \$/ }).click();
  await page.getByText("Time at work").waitFor();
  await shoot("spent");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "About this server" }).click();
  await page.getByText(/tokens · \$.* at work, \d+ % of what was read from cache/s).waitFor();
  await shoot("project");
  assert.deepEqual(problems, []);
});
