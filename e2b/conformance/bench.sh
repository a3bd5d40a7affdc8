#!/usr/bin/env bash
# Our client against the official JavaScript one, on the same emulator, one after the other. Usage: bench.sh BIN OUT.json
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$1 out=$2
[ -d "$here/node_modules" ] || (cd "$here" && npm ci --no-audit --no-fund --loglevel=error)
scratch=$(mktemp -d)
mkfifo "$scratch/url"
"$bin/e2b-emulator" serve --listen 127.0.0.1:0 >"$scratch/url" 2>"$scratch/log" &
emulator=$!
trap 'kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; rm -rf "$scratch"' EXIT
read -r url <"$scratch/url"
E2B_API_KEY="e2b_$(printf '0%.0s' {1..40})"
export E2B_API_KEY E2B_API_URL="$url" E2B_SANDBOX_URL="$url"
"$bin/examples/latency" >"$scratch/koda"
node "$here/latency.mjs" >"$scratch/peer"
node -e '
  const { readFileSync, writeFileSync, mkdirSync } = require("node:fs");
  const [koda, peer, out] = process.argv.slice(1);
  const lines = (file) => readFileSync(file, "utf8").trim().split("\n").map((l) => JSON.parse(l));
  const theirs = new Map(lines(peer).map((r) => [r.name, r]));
  const rows = lines(koda).map((r) => ({ name: r.name, size: "p50", koda: r.p50_ms, peer: theirs.get(r.name).p50_ms, peer_name: "npm e2b", unit: "ms", ratio: Number((theirs.get(r.name).p50_ms / r.p50_ms).toFixed(2)) }));
  mkdirSync(require("node:path").dirname(out), { recursive: true });
  writeFileSync(out, JSON.stringify(rows, null, 2) + "\n");
  for (const r of rows) console.log(`${r.name.padEnd(28)} koda ${r.koda.toFixed(2)} ms, ${r.peer_name} ${r.peer.toFixed(2)} ms: ${r.ratio} × as fast`);
' "$scratch/koda" "$scratch/peer" "$out"
