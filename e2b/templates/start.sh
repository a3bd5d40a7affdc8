#!/bin/sh
# Runs when the template is built, and is in every snapshot: the supervisor, with the preview's dev server and a browser on
# standby below it.
# Nothing of the machine's own environment comes along.
set -eu
uid=$(id -u user)
gid=$(id -g user)
home=$(getent passwd user | cut -d: -f6)
orders=$(sed -e "s/@UID@/$uid/" -e "s/@GID@/$gid/" /opt/koda/orders.json)
standby=$home/.koda-standby
rm -f "$standby"
exec env -i PATH=/opt/koda:/usr/local/bin:/usr/bin:/bin HOME="$home" USER=user LANG=C.UTF-8 TERM=dumb TZ=UTC \
  KODA_PORT=5173 KODA_VITE_CACHE=/app/.koda/vite KODA_STANDBY="$standby" \
  /opt/koda/koda-sandboxd supervise "$orders"
