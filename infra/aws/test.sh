#!/usr/bin/env bash
# Checks the template, and that a deployment gets as far as it can without an account.
set -euo pipefail
cd "$(dirname "$0")"
venv=${XDG_CACHE_HOME:-$HOME/.cache}/koda/infra
[ "$(cat "$venv/.koda-stamp" 2>/dev/null)" = "$(cksum <requirements.txt)" ] || {
  rm -rf "$venv" && python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
  cksum <requirements.txt >"$venv/.koda-stamp"
}
export PATH="$venv/bin:$PATH"
(cd tests && python -m unittest -q test_template)
said=$(DRY=1 KODA_PASSWORD=never-shown ./deploy.sh koda-test 2>&1) || { printf '%s\n' "$said"; exit 1; }
for step in 'lambda build' 'cloudformation package' 'cloudformation deploy' 's3 sync' create-invalidation; do
  [[ $said == *"$step"* ]] || { printf 'A deployment does not come to: %s\n%s\n' "$step" "$said"; exit 1; }
done
[[ $said != *never-shown* ]] || { echo "A deployment shows the password."; exit 1; }
# What has no hash in its name must not be kept by browsers for a year.
[[ $said != *'exclude index.html --cache-control public'* ]] || { echo "Files whose names stay are cached for ever."; exit 1; }
if refused=$(DRY=1 MONTHLY_BUDGET=5 ./deploy.sh koda-test 2>&1); then echo "A budget that nobody hears of is taken."; exit 1; fi
[[ $refused == *ALARM_EMAIL* ]]
if refused=$(DRY=1 ./deploy.sh Koda_Test 2>&1); then echo "A name that no bucket can have is taken."; exit 1; fi
[[ $refused == *"small letters"* ]]
