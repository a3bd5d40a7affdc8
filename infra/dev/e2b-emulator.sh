# Sourced by run.sh for SANDBOX_PROVIDER=e2b-emulator: starts the emulator, builds Koda's templates in it once, and sets
# what makes the server use it as it would use E2B. A way to try that path without an account; no sandbox for production.
say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }

emulator_folder="$KODA_DATA_DIR/e2b"
mkdir -p "$emulator_folder"
mkfifo "$emulator_folder/.url.$$"
"$bin/e2b-emulator" serve --listen 127.0.0.1:0 --folder "$emulator_folder" >"$emulator_folder/.url.$$" 2>"$emulator_folder/log" &
emulator_pid=$!
trap 'kill "$emulator_pid" 2>/dev/null || true' EXIT
read -r emulator_url <"$emulator_folder/.url.$$"
rm -f "$emulator_folder/.url.$$"
printf "%s\n" "$emulator_url" >"$emulator_folder/url"

export SANDBOX_PROVIDER=e2b
E2B_API_KEY="e2b_$(printf '0%.0s' {1..40})"
export E2B_API_KEY E2B_API_URL="$emulator_url" E2B_SANDBOX_URL="$emulator_url"

# As where a server has no wildcard host: browsers look at the sandbox's own.
if [ "${E2B_EMULATOR_PREVIEWS:-}" = direct ]; then export E2B_PREVIEW_URL="http://PORT-ID.localhost:${emulator_url##*:}"; fi

[ -d e2b/templates/node_modules ] || (cd e2b/templates && npm ci --no-audit --no-fund --loglevel=error >&2)
stamp=$(cat "$bin/koda-sandboxd" "$bin/koda-capture" e2b/templates/*.{mjs,sh,json} templates/*/package-lock.json templates/{remotion,theatre}/src/koda/server/* | cksum)
if [ "$(cat "$emulator_folder/stamp" 2>/dev/null || true)" != "$stamp" ]; then
  say "Building the templates in the E2B emulator"
  E2B_BUILD_LOG=quiet node e2b/templates/build.mjs --bin "$bin" --out "$emulator_folder/context" >&2
  printf '%s\n' "$stamp" >"$emulator_folder/stamp"
fi
