# shellcheck shell=bash
# Sourced by every script of tools/: where the project is, how to speak, how to time a stage.
# Everything built or downloaded goes below build/, so `make clean` undoes it all.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
BUILD=$ROOT/build
cd "$ROOT" || exit 1

say() { printf '\n== %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# The Python of tests and downloads: the system's own where it is whole, else the first in PATH.
# ALMANAC_PYTHON chooses another.
find_python() { # find_python MODULE... : prints the first that has all of them
  local python modules
  modules=$(IFS=,; printf '%s' "$*")
  for python in "${ALMANAC_PYTHON:-}" /usr/bin/python3 python3; do
    if [ -n "$python" ] && "$python" -c "import $modules" 2>/dev/null; then
      printf '%s\n' "$python"
      return
    fi
  done
  die "no python3 with $modules: run tools/install.sh test"
}

# Stages: a failed one does not hide the others; stages_end prints the table, how each failed one ended, and is the
# script's verdict.
STAGE_ROWS=()
STAGE_FAILED_LOGS=()
STAGE_TAIL_LINES=20

stage() { # stage NAME COMMAND...
  local name=$1 start=$SECONDS code verdict=ok log
  shift
  say "$name"
  log=$(mktemp)
  # a subshell outside any condition, so that its `set -e` holds inside functions too
  set +e
  (set -euo pipefail; "$@") 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  set -e
  if [ "$code" -ne 0 ]; then
    verdict="FAILED ($code)"
    STAGE_FAILED_LOGS+=("$name" "$log")
  else
    rm -f "$log"
  fi
  STAGE_ROWS+=("$(printf '%-34s %5d s  %s' "$name" $((SECONDS - start)) "$verdict")")
  printf '%s\n' "-- ${STAGE_ROWS[-1]}"
}

stages_end() { # stages_end TITLE
  local i
  for ((i = 0; i < ${#STAGE_FAILED_LOGS[@]}; i += 2)); do
    say "how '${STAGE_FAILED_LOGS[i]}' ended"
    tail -n "$STAGE_TAIL_LINES" "${STAGE_FAILED_LOGS[i + 1]}" | cut -c 1-400
    rm -f "${STAGE_FAILED_LOGS[i + 1]}"
  done
  say "$1"
  printf '%s\n' "${STAGE_ROWS[@]}"
  if [ "${#STAGE_FAILED_LOGS[@]}" -ne 0 ]; then
    printf '%d of %d stages failed\n' $((${#STAGE_FAILED_LOGS[@]} / 2)) "${#STAGE_ROWS[@]}"
    return 1
  fi
  printf 'all %d stages passed, %d s\n' "${#STAGE_ROWS[@]}" "$SECONDS"
}

configure() { # configure FOLDER CMAKE-OPTION... ; quiet unless it fails; CC chooses the compiler the first time
  local folder=$1 output
  shift
  if ! output=$(cmake -G Ninja -S . -B "$folder" -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@" 2>&1); then
    printf '%s\n' "$output" >&2
    die "cannot configure '$folder'"
  fi
}

# The sanitizer build that unit tests and fuzzers share (build/clang-asan).
# shellcheck disable=SC2034,SC2054
ASAN_BUILD=(-DALMANAC_SANITIZE=address,undefined -DALMANAC_FUZZ=ON)

# The sanitizers of clang 14 cannot place their shadow where the kernel spreads addresses over 32 bits.
without_aslr() {
  if setarch "$(uname -m)" -R true 2>/dev/null; then
    setarch "$(uname -m)" -R "$@"
  else
    "$@"
  fi
}
