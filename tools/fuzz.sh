#!/usr/bin/env bash
# make fuzz: every fuzz/*.c (or those named) for FUZZ_SECONDS each, under address and undefined-behaviour sanitizers.
# Seeds: fuzz/seeds/<name>/ and fuzz/<name>.dict where they exist; what is learnt stays in fuzz/corpus/<name>/ (not
# committed); an input that crashes is kept in build/fuzz-findings/ and its path is printed by libFuzzer.
set -euo pipefail
. "$(dirname "$0")/common.sh"

export BUILD_DIR=build/clang-asan
seconds=${FUZZ_SECONDS:-60}
findings=$BUILD/fuzz-findings

# 0: no fault; 1: a fault, whose input is kept; 2: it ended without an input to blame
run_once() { # run_once NAME ARGUMENT...
  local name=$1
  shift
  touch "$findings/.begin-$name"
  if without_aslr "$BUILD_DIR/$name" "$@" >"$findings/$name.log" 2>&1; then
    return 0
  fi
  sed -n '/ERROR:\|runtime error\|Assertion/,/^SUMMARY/p' "$findings/$name.log" | head -n 40 >&2
  [ -z "$(find "$findings" -name "$name-*" -newer "$findings/.begin-$name")" ] || return 1
  tail -n 12 "$findings/$name.log" >&2
  return 2
}

fuzz_one() { # fuzz_one NAME
  local name=$1 arguments code=0
  # -timeout: by the clock on the wall; an input takes milliseconds, but the machine may stand still
  arguments=("-max_total_time=$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1
    "-artifact_prefix=$findings/$name-")
  if [ -r "fuzz/$name.dict" ]; then
    arguments+=("-dict=fuzz/$name.dict")
  fi
  mkdir -p "fuzz/corpus/$name" "$findings"
  arguments+=("fuzz/corpus/$name")
  if [ -d "fuzz/seeds/$name" ]; then
    arguments+=("fuzz/seeds/$name")
  fi
  run_once "$name" "${arguments[@]}" || code=$?
  if [ "$code" -eq 2 ]; then # e.g. a sanitizer that found no place for its shadow; twice is no accident
    printf 'fuzzer %s ended without an input to blame; once more\n' "$name" >&2
    code=0
    run_once "$name" "${arguments[@]}" || code=$?
  fi
  [ "$code" -eq 0 ] || die "fuzzer $name found a fault; its input is the newest $name-* in build/fuzz-findings/"
  printf '%s: %s runs, %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$findings/$name.log")" \
    "$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$findings/$name.log" | tail -n 1)"
}

names=("$@")
if [ $# -eq 0 ]; then
  for path in fuzz/*.c; do
    [ -e "$path" ] || die "no fuzzers in fuzz/"
    names+=("$(basename "$path" .c)")
  done
fi
tools/install.sh check
CC=clang tools/build.sh "${names[@]}" -- "${ASAN_BUILD[@]}"
for name in "${names[@]}"; do
  stage "fuzz $name (${seconds} s)" fuzz_one "$name"
done
stages_end "fuzzers"
