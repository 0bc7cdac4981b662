#!/usr/bin/env bash
# Configures and builds below build/: `tools/build.sh [TARGET...]` (default: everything, tests too).
# Another build beside it: BUILD_DIR=build/clang-asan CC=clang tools/build.sh -- -DALMANAC_SANITIZE=address,undefined
set -euo pipefail
. "$(dirname "$0")/common.sh"

targets=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  targets+=("$1")
  shift
done
[ $# -eq 0 ] || shift
directory=${BUILD_DIR:-build}
tools/web.sh # the dashboard, which is embedded; nothing to do when web/ has not changed
configure "$directory" "$@"
ninja -C "$directory" "${targets[@]}"
