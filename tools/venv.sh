#!/usr/bin/env bash
# Makes build/venv-NAME from NAME/requirements.txt (tests, bench) and prints the path of its Python.
# Idempotent: the stamp is the sum of the requirements and of the Python that made it.
# The package index is whatever pip is configured for on this machine.
set -euo pipefail
. "$(dirname "$0")/common.sh"

name=${1:-tests}
requirements=$name/requirements.txt
venv=$BUILD/venv-$name
[ -r "$requirements" ] || die "cannot read '$requirements'"

python=$(find_python ensurepip pip venv)
mkdir -p "$BUILD"
exec 9>"$BUILD/venv-$name.lock" # two at once would take the folder from under each other
flock 9
wanted=$( (cat "$requirements"; "$python" -c 'import sys; print(sys.version, sys.base_prefix)') | sha256sum)
if [ "$(cat "$venv/stamp" 2>/dev/null)" != "$wanted" ]; then
  say "making build/venv-$name" >&2
  rm -rf "$venv"
  "$python" -m venv "$venv" >&2
  "$venv/bin/python" -m pip install -q --only-binary=:all: -r "$requirements" >&2
  printf '%s\n' "$wanted" >"$venv/stamp"
fi
printf '%s\n' "$venv/bin/python"
