import type { ComponentType } from "react";
import { showCard } from "./card";
import type { Fault, Manifest } from "./contract";
import { createEngine } from "./create-engine";
import type { Design } from "./design";
import type { Loaded } from "./engine";
import { capturing } from "./environment";
import { compileFault, diagnose, runtimeFault, toPageError } from "./faults";
import { loadFonts, registerFonts } from "./fonts";
import { Page } from "./page";
import { forgetMissing } from "./resources";
import { stage } from "./stage";
import { addStandaloneControls } from "./standalone";
import { Transport } from "./transport";
import { sleep } from "./wait";

/** Boots the page: loads the composition, keeps it up to date while its files change, and lets others drive it. */

const unknown: Manifest = { contract: 1, engine: "", title: "", width: 1920, height: 1080, fps: 30, durationInFrames: 1 };

registerFonts();
const engine = createEngine(stage, (error) => page.fail(error));
const page = new Page(engine, unknown);
window.koda = page;
const transport = capturing
  ? null
  : new Transport({
      info: () => page.info,
      draw: (frame) => page.draw(frame),
      show: (frame) => page.show(frame),
      pace: (frame) => page.pace(frame),
    });
if (transport && parent === window) addStandaloneControls(transport, page);

page.onError = (error) => void runtimeFault(error).then((fault) => page.error === error && tell(fault));

function tell(fault: Fault | null) {
  showCard(capturing ? null : fault);
  transport?.fault(fault);
}

const current: Partial<Loaded> = {};
let started = false;

async function reload() {
  const { Composition, design, manifest } = current;
  if (!Composition || !design || !manifest) return;
  forgetMissing();
  delete document.documentElement.dataset.simplified;
  await loadFonts([design.fonts.title, design.fonts.body], JSON.stringify(design));
  try {
    await page.load({ Composition, design, manifest });
  } catch {
    return; // The page has said what is wrong, and a change may put it right.
  }
  tell(null);
  transport?.announce();
  if (!started) transport?.play();
  started = true;
}

interface CompositionModule {
  default: ComponentType;
}

interface DesignModule {
  design: Design;
}

/** Keeps what arrived; false where nothing did, because it does not compile. */
function take(modules: [CompositionModule?, DesignModule?, { default: Manifest }?]): boolean {
  const [composition, design, manifest] = modules;
  if (composition) current.Composition = composition.default;
  if (design) current.design = design.design;
  if (manifest) current.manifest = manifest.default;
  return modules.some((module) => module !== undefined);
}

let scheduled = false;
let changes = 0;

/** Says why a change could not be loaded, unless a later one has come in the meantime. */
async function explain(change: number) {
  const fault = await diagnose();
  if (fault && change === changes) tell(fault);
}

if (import.meta.hot) {
  import.meta.hot.accept(["../Composition", "../design", "../../koda.json"], (modules) => {
    // A capture shows one version of the composition from its first frame to its last.
    if (capturing) return;
    changes += 1;
    if (!take(modules as unknown as Parameters<typeof take>[0])) return void explain(changes);
    if (scheduled) return;
    // One change may arrive as an update of several of the three.
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      void reload();
    });
  });
  import.meta.hot.on("vite:error", ({ err }) => {
    if (!capturing) tell(compileFault(err as Parameters<typeof compileFault>[0]));
  });
  // What changed after this page was asked for, and before its connection stood, was told to nobody.
  if (!capturing) import.meta.hot.send("koda:loaded", { changes: Number(document.documentElement.dataset.changes) });
  if (!capturing) import.meta.hot.on("vite:ws:disconnect", () => void comeBack());
  // Nor does a capture start again in the middle.
  import.meta.hot.on("vite:beforeFullReload", () => (capturing ? new Promise<void>(() => undefined) : undefined));
}

/** Loads the page anew once its server is there again. Vite would wait in a shared worker, which a sandboxed frame may not have. */
async function comeBack() {
  for (;;) {
    await sleep(1000);
    if (document.hidden) continue;
    const there = await fetch("/", { headers: { accept: "text/x-vite-ping" } }).then(
      ({ status }) => status === 204,
      () => false,
    );
    if (there) return location.reload();
  }
}

async function start() {
  const results = await Promise.allSettled([import("../Composition"), import("../design"), import("../../koda.json")]);
  const [composition, design, manifest] = results;
  take([value(composition), value(design), value(manifest) as { default: Manifest } | undefined]);
  if (current.manifest) page.fit();
  const failure = results.find((result) => result.status === "rejected");
  if (!failure) return reload();
  const reason = toPageError(failure.reason);
  const fault = (await diagnose()) ?? (await runtimeFault(reason));
  page.abandon({ message: fault.message ?? reason.message, stack: reason.stack });
  tell(fault);
}

function value<T>(result: PromiseSettledResult<T>): T | undefined {
  return result.status === "fulfilled" ? result.value : undefined;
}

void start();
