#!/usr/bin/env bash
# The checklist of E2B's protocol by its official clients against the emulator, then the whole job on the E2B path.
# Usage: run.sh BIN [lists], BIN the folder with e2b-emulator and Koda's programs; `lists` leaves the job out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$1
say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }

[ "$(cat "$here/node_modules/.koda-stamp" 2>/dev/null)" = "$(cksum <"$here/package-lock.json")" ] || {
  (cd "$here" && npm ci --no-audit --no-fund --loglevel=error) && cksum <"$here/package-lock.json" >"$here/node_modules/.koda-stamp"
}
venv=${XDG_CACHE_HOME:-$HOME/.cache}/koda/e2b-python
[ "$(cat "$venv/.koda-stamp" 2>/dev/null)" = "$(cksum <"$here/requirements.txt")" ] || {
  rm -rf "$venv" && python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cksum <"$here/requirements.txt" >"$venv/.koda-stamp"
}

scratch=$(mktemp -d)
mkfifo "$scratch/url"
"$bin/e2b-emulator" serve --listen 127.0.0.1:0 --max-sandboxes 50 >"$scratch/url" 2>"$scratch/log" &
emulator=$!
trap 'kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; rm -rf "$scratch"' EXIT
read -r url <"$scratch/url"
E2B_API_KEY="e2b_$(printf '0%.0s' {1..40})"
export E2B_API_KEY E2B_API_URL="$url" E2B_SANDBOX_URL="$url"

say "Official JavaScript client"
node --test --test-reporter=spec "$here/javascript.test.mjs"
say "Official Python client"
"$venv/bin/python" -m pytest -q -p no:cacheprovider "$here/test_python.py"
[ "${2:-}" != lists ] || exit 0
unset E2B_API_KEY E2B_API_URL E2B_SANDBOX_URL
say "The whole job on the E2B path, its sandbox killed twice"
KODA_BIN_DIR="$bin" node --test --test-reporter=spec "$here/job.test.mjs"
