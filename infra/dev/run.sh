#!/usr/bin/env bash
# Runs koda-server from a checkout: SQLite and files below data/, sandboxes by bubblewrap, the canvas from web/dist.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${KODA_BIN_DIR:?the folder with koda-server}"
export KODA_DATA_DIR="${KODA_DATA_DIR:-$PWD/data}"
export KODA_TEMPLATES_DIR="${KODA_TEMPLATES_DIR:-$PWD/templates}"
export KODA_WEB_DIR="${KODA_WEB_DIR:-$PWD/web/dist}"
export KODA_CAPTURE_BIN="${KODA_CAPTURE_BIN:-$KODA_BIN_DIR/koda-capture}"
export KODA_SANDBOXD_BIN="${KODA_SANDBOXD_BIN:-$KODA_BIN_DIR/koda-sandboxd}"
exec "$KODA_BIN_DIR/koda-server"
