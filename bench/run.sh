#!/usr/bin/env bash
# The rows of bench/README.md: `bench/run.sh` all, `bench/run.sh import predict` some; --runs N (3) runs of each side in
# turn. Figures go to build/bench/results.json and from there into bench/README.md. `make bench` builds first.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/common.sh
exec "$(find_python json sqlite3 venv ensurepip)" bench/run.py "$@"
