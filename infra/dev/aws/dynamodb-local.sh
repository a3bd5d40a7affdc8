#!/usr/bin/env bash
# Puts AWS's own DynamoDB Local, with what it needs, into a folder: dynamodb-local.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/dynamodb-local"
folder=$1
stamp=$(cksum <pom.xml)
[ "$(cat "$folder/.koda-stamp" 2>/dev/null)" = "$stamp" ] && exit 0
echo "▸ Fetching DynamoDB Local" >&2
rm -rf "$folder"
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory="$folder"
printf '%s\n' "$stamp" >"$folder/.koda-stamp"
