#!/bin/sh
# In the emulator the system is the machine's own and cannot be changed: says what is missing instead of installing it.
while [ $# -gt 0 ]; do
  case $1 in
    -*) shift ;;
    update | clean | autoremove | upgrade) echo "$1: nothing to do in the emulator"; exit 0 ;;
    install) shift; break ;;
    *) echo "apt-get $1 is not known to the emulator" >&2; exit 100 ;;
  esac
done
missing=
for package in "$@"; do
  case $package in -*) continue ;; esac
  # What is there as a program will do, whoever brought it.
  command -v "${package%%=*}" >/dev/null && continue
  awk -v want="${package%%=*}" '
    /^Package: / { here = ($2 == want) }
    here && /^Status: .* installed$/ { found = 1 }
    END { exit !found }' /var/lib/dpkg/status || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "The emulator uses this machine's system, which lacks:$missing" >&2
  exit 100
fi
