#!/usr/bin/env bash
# Brings a machine to where Koda builds and runs: says what is missing, installs what it may.
# Usage: setup.sh [run|test]. Safe to run again; a second run takes a moment.
set -euo pipefail
cd "$(dirname "$0")/../.."
purpose=${1:-run}

say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }
stop() { printf '\033[31m✗ %s\033[0m\n' "$*" >&2; exit 1; }

# ── programs ──────────────────────────────────────────────────────────────────
chromium_at() {
  for path in "${KODA_CHROMIUM:-}" /usr/lib/chromium/chromium-headless-shell /usr/lib/chromium/headless_shell; do
    [ -n "$path" ] && [ -x "$path" ] && return 0
  done
  return 1
}

packages=()
command -v ffmpeg >/dev/null || packages+=(ffmpeg)
command -v bwrap >/dev/null || packages+=(bubblewrap)
chromium_at || packages+=(chromium-headless-shell)
command -v cc >/dev/null || packages+=(build-essential)
command -v curl >/dev/null || packages+=(curl ca-certificates)
if [ "$(uname)" = Linux ] && command -v dpkg >/dev/null; then
  # Software OpenGL draws 3D more than twice as fast as Chromium's own; fonts fill what the templates do not carry.
  for package in libegl-mesa0 libgl1-mesa-dri fonts-noto-color-emoji fonts-noto-cjk fonts-dejavu-core; do
    dpkg -s "$package" >/dev/null 2>&1 || packages+=("$package")
  done
fi
if [ "$purpose" = test ] && ! [ -x /usr/lib/chromium/chromium ]; then packages+=(chromium); fi
# The official Python client of E2B has an environment of its own.
if [ "$purpose" = test ] && ! python3 -c 'import venv, ensurepip' 2>/dev/null; then packages+=(python3-venv); fi
# AWS's own emulator of DynamoDB is a Java program.
if [ "$purpose" = test ]; then
  command -v java >/dev/null || packages+=(default-jre-headless)
  command -v mvn >/dev/null || packages+=(maven)
fi

if [ ${#packages[@]} -gt 0 ]; then
  [ "$(uname)" = Linux ] || stop "The local sandbox needs Linux (bubblewrap). On macOS run Koda in a Linux VM, such as one made by Lima."
  command -v apt-get >/dev/null || stop "Install these with your package manager, then run this again: ${packages[*]}"
  sudo=''
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || stop "Run this once, then try again: sudo apt-get install ${packages[*]}"
    sudo='sudo'
  fi
  say "Installing ${packages[*]}"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

command -v cargo >/dev/null || { [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"; }
command -v cargo >/dev/null || stop "Rust is missing. Install rustup (https://rustup.rs), open a new shell, and try again."
command -v node >/dev/null || stop "Node.js 20 or newer is missing. Install it (https://nodejs.org), then try again."
[ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] || stop "Node.js 20 or newer is needed; this is $(node -v)."
command -v npm >/dev/null || stop "npm is missing. Install it together with Node.js, then try again."

# ── packages ──────────────────────────────────────────────────────────────────
# A stamp of the lockfile beside node_modules tells whether it is as the lockfile says.
install() {
  local dir=$1 want have
  want=$(cksum <"$dir/package-lock.json")
  have=$(cat "$dir/node_modules/.koda-stamp" 2>/dev/null || true)
  [ "$want" = "$have" ] && return 0
  say "Installing packages of $dir"
  (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error)
  printf '%s\n' "$want" >"$dir/node_modules/.koda-stamp"
}

# Dependencies of the templates are bundled for the browser once, here, instead of in every sandbox.
prepare() {
  [ -f "$1/node_modules/.vite-production/deps/_metadata.json" ] && return 0
  (cd "$1" && npm run --silent optimize >/dev/null && NODE_ENV=production npm run --silent optimize >/dev/null)
}

for template in templates/remotion templates/theatre; do
  install "$template"
  prepare "$template"
done
install web
if [ "$purpose" = test ]; then
  install templates
  install infra/eval
  # The control plane that functions run below; it is a program in a Python package.
  venv="$HOME/.cache/koda/cargo-lambda"
  wanted="cargo-lambda==1.9.2"
  if [ "$(cat "$venv/.koda-stamp" 2>/dev/null)" != "$wanted" ]; then
    say "Installing cargo-lambda"
    rm -rf "$venv" && python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$wanted"
    printf '%s\n' "$wanted" >"$venv/.koda-stamp"
  fi
  [ -d e2b/templates/node_modules ] || (cd e2b/templates && npm ci --no-audit --no-fund --loglevel=error)
fi
