#!/usr/bin/env bash
# make bench: installs what the rows need, builds, and hands over to bench/run.sh (arguments choose rows).
set -euo pipefail
. "$(dirname "$0")/common.sh"

tools/install.sh bench
tools/build.sh almanac
exec bench/run.sh "$@"
