set -e
unpacked=$(mktemp -d)
tar -xf "$ARCHIVE" -C "$unpacked"
rm -f "$ARCHIVE"
source=$unpacked/$SOURCE
# A folder's content goes into the target; a file becomes the target, or goes into it.
if [ -d "$source" ]; then
  mkdir -p "$TARGET"
  into=$TARGET/
  set -- "$source/."
else
  case $TARGET in
    */) mkdir -p "$TARGET" ;;
    *) mkdir -p "$(dirname "$TARGET")" ;;
  esac
  into=$TARGET
  set -- "$source"
fi
if [ -e "$source" ]; then
  chown -R "$OWNER" "$source" 2>/dev/null || chown -R "$(id -un)" "$source"
  [ -z "$MODE" ] || chmod -R "$MODE" "$source"
  cp -a "$@" "$into"
  [ ! -d "$source" ] || chown "$OWNER" "$TARGET" 2>/dev/null || true
else
  echo "$SOURCE is not among the uploaded files" >&2
  exit 1
fi
rm -rf "$unpacked"
