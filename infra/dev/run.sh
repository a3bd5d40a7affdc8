#!/usr/bin/env bash
# Runs koda-server from a checkout: SQLite and files below data/, sandboxes by bubblewrap, the canvas from web/dist.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="${KODA_BIN_DIR:?the folder with koda-server}"
unset KODA_BIN_DIR KODA_URL
export KODA_DATA_DIR="${KODA_DATA_DIR:-$PWD/data}"
export KODA_TEMPLATES_DIR="${KODA_TEMPLATES_DIR:-$PWD/templates}"
export KODA_WEB_DIR="${KODA_WEB_DIR:-$PWD/web/dist}"
export KODA_CAPTURE_BIN="${KODA_CAPTURE_BIN:-$bin/koda-capture}"
export KODA_SANDBOXD_BIN="${KODA_SANDBOXD_BIN:-$bin/koda-sandboxd}"
exec "$bin/koda-server"
