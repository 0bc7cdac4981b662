#!/usr/bin/env bash
# LAYERS holds: every "folder/x.h" a file of src/ includes is of its own folder or of one its row lists; every folder
# has a row; rows only point at rows above them (so there is no cycle); and every header compiles alone.
# Arguments: another source root to check (its LAYERS and src/), for this script's own test.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "${1:-$ROOT}"

check_includes() { # prints breaches
  local listing
  listing=$(find src -name '*.[ch]' | sort)
  # shellcheck disable=SC2086
  awk '
    FILENAME == "LAYERS" {
      if ($0 !~ /^[a-z_]+:/) next
      folder = $1; sub(/:$/, "", folder)
      for (i = 2; i <= NF; i++) {
        if ($i != "*" && !($i in known))
          printf "LAYERS: %s may include %s, which is not above it: includes go down only\n", folder, $i
        allowed[folder, $i] = 1
      }
      known[folder] = 1
      next
    }
    FNR == 1 {
      count = split(FILENAME, part, "/")
      folder = count > 2 ? part[2] : ""
      if (folder != "" && !(folder in known) && !(folder in reported)) {
        printf "%s: folder %s has no row in LAYERS\n", FILENAME, folder
        reported[folder] = 1
      }
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
      split($0, quoted, "\"")
      path = quoted[2]
      if (!(path in exists)) {
        exists[path] = (getline unused < ("src/" path)) >= 0
        close("src/" path)
      }
      if (!exists[path] || path ~ /\.\./) {
        printf "%s:%d: \"%s\" is not a file of src/ (includes are written from src/)\n", FILENAME, FNR, path
        next
      }
      if (path !~ /\// || folder == "" || (folder, "*") in allowed) next
      target = path; sub(/\/.*/, "", target)
      if (target != folder && !((folder, target) in allowed))
        printf "%s:%d: %s may not include \"%s\" (LAYERS)\n", FILENAME, FNR, folder, path
    }
  ' LAYERS $listing
}

check_headers() { # every header compiles alone; *_list.h are rows, included between macro definitions
  local flags header
  flags=$(pkg-config --cflags sqlite3 jansson libmicrohttpd libsodium inih)
  find src -name '*.h' ! -name '*_list.h' | sort | while read -r header; do
    # shellcheck disable=SC2086
    gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only -iquote src $flags \
      -x c - <<<"#include \"${header#src/}\""$'\n'"int some_declaration;" || printf '%s: does not compile alone\n' "$header"
  done
}

breaches=$(check_includes; check_headers)
if [ -n "$breaches" ]; then
  printf '%s\n' "$breaches"
  exit 1
fi
printf 'layers hold: %d files\n' "$(find src -name '*.[ch]' | wc -l)"
