#!/bin/sh
# The snapshot is taken when this succeeds: a browser is on standby, the page and its modules have been served once, and
# Chromium has drawn a frame of it, so that all are in memory.
set -eu
[ -S /run/koda/control ]
[ -S "$(getent passwd user | cut -d: -f6)/.koda-standby" ]
curl -fsS -m 5 -o /dev/null http://127.0.0.1:5173/
[ -e /run/koda/warm ] && exit 0
cd /app
# The frame is drawn by a browser of its own: the one on standby is for the first work in the sandbox.
env -i PATH=/opt/koda:/usr/local/bin:/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 TZ=UTC KODA_PORT=5173 \
  setpriv --reuid user --regid user --clear-groups /opt/koda/koda-capture still --frames 0 --out /tmp/warm >/dev/null
rm -rf /tmp/warm
touch /run/koda/warm
