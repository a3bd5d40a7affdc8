#!/usr/bin/env bash
# Licences, banned crates and known vulnerabilities of everything that Koda is built from.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools="$HOME/.cache/koda/tools"
export PATH="$tools/bin:$PATH"
if ! command -v cargo-deny >/dev/null; then
  echo "▸ Installing cargo-deny" >&2
  # It looks at a few hundred crates once: building it without optimisation takes a third of the time, and is not felt.
  CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --debug --locked --quiet --root "$tools"
fi
cargo deny --config .cargo-deny.toml --log-level error check bans licenses sources
# The advisory database is a git repository; a machine that cannot reach it is told so, and npm's is asked in any case.
if ! cargo deny --config .cargo-deny.toml --log-level error check advisories 2>/tmp/koda-advisories.$$; then
  if grep -qiE 'failed to (fetch|clone|resolve)|could not|network|connect' /tmp/koda-advisories.$$; then
    echo "  not checked here: RustSec advisories (the database cannot be reached from this machine)" >&2
  else
    cat /tmp/koda-advisories.$$ >&2
    rm -f /tmp/koda-advisories.$$
    exit 1
  fi
fi
rm -f /tmp/koda-advisories.$$
for dir in web templates/remotion templates/theatre infra/eval infra/bench infra/dev/lambda; do
  if ! (cd "$dir" && npm audit --omit=dev --audit-level=moderate) >/tmp/koda-audit.$$ 2>&1; then
    if grep -q 'audit endpoint returned an error' /tmp/koda-audit.$$; then
      echo "  not checked here: npm advisories of $dir (the registry does not answer audits on this machine)" >&2
    else
      cat /tmp/koda-audit.$$ >&2
      rm -f /tmp/koda-audit.$$
      exit 1
    fi
  fi
  rm -f /tmp/koda-audit.$$
done
