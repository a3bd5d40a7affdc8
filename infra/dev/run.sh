#!/usr/bin/env bash
# Runs koda-server from a checkout: SQLite and files below data/, sandboxes by bubblewrap, the canvas from
# web/dist. With SANDBOX_PROVIDER=e2b-emulator sandboxes are made as at E2B, by an emulator of it.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="${KODA_BIN_DIR:?the folder with koda-server}"
unset KODA_BIN_DIR KODA_URL
export KODA_DATA_DIR="${KODA_DATA_DIR:-$PWD/data}"
export KODA_TEMPLATES_DIR="${KODA_TEMPLATES_DIR:-$PWD/templates}"
export KODA_WEB_DIR="${KODA_WEB_DIR:-$PWD/web/dist}"
export KODA_CAPTURE_BIN="${KODA_CAPTURE_BIN:-$bin/koda-capture}"
export KODA_SANDBOXD_BIN="${KODA_SANDBOXD_BIN:-$bin/koda-sandboxd}"
if [ "${SANDBOX_PROVIDER:-}" = e2b-emulator ]; then
  # shellcheck source=infra/dev/e2b-emulator.sh
  . infra/dev/e2b-emulator.sh
  "$bin/koda-server" &
  server_pid=$!
  # The emulator ends with the server, whoever is told to end.
  trap 'kill "$server_pid" 2>/dev/null || true; wait "$server_pid" 2>/dev/null || true; kill "$emulator_pid" 2>/dev/null || true; wait "$emulator_pid" 2>/dev/null || true' EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  wait "$server_pid"
  exit
fi
exec "$bin/koda-server"
