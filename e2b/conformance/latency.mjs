// The same as e2b/client/examples/latency.rs with the official client.
import { Sandbox } from "e2b";

const WARM = 20;
const ROUNDS = 200;
const sandbox = await Sandbox.create("base", { timeoutMs: 120_000 });
const content = "x".repeat(10_000);

async function measure(name, rounds, act) {
  const times = [];
  for (let n = 0; n < WARM + rounds; n++) {
    const began = performance.now();
    const until = (await act()) ?? performance.now();
    if (n >= WARM) times.push(until - began);
  }
  times.sort((a, b) => a - b);
  const at = (part) => Number(times[Math.floor(((times.length - 1) * part) / 100)].toFixed(3));
  process.stdout.write(`${JSON.stringify({ name, p50_ms: at(50), p99_ms: at(99) })}\n`);
}

await measure("e2b write 10 KB", ROUNDS, async () => void (await sandbox.files.write("file.txt", content)));
await measure("e2b first byte of output", ROUNDS, async () => {
  let first;
  await sandbox.commands.run("echo x", { onStdout: () => (first ??= performance.now()) });
  return first;
});
const many = Array.from({ length: 60 }, (_, n) => ({ path: `src/f${n}.ts`, data: content }));
await measure("e2b write 60 files", ROUNDS / 4, async () => void (await sandbox.files.write(many)));
await sandbox.kill();
