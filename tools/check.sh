#!/usr/bin/env bash
# make check: everything that can be wrong with the tree, cheapest first; each stage is timed, none hides the next.
#   format      clang-format                         style, layers   our own rules
#   gcc         the ordinary build, -Werror, tests and the programs of bench/ too
#   docs        docs/generated is what the tables say
#   sanitize    clang -Werror, unit tests under AddressSanitizer and UBSan
#   fuzz        every fuzzer for FUZZ_SECONDS (10)
#   threads     unit tests of the concurrent folders under ThreadSanitizer
#   tidy        clang-tidy (.clang-tidy)
# Arguments choose stages: `tools/check.sh format style layers`.
set -euo pipefail
. "$(dirname "$0")/common.sh"

ASAN=build/clang-asan
TSAN=build/clang-tsan
THREADED='os job http cache' # folders with threads of their own

# Foreign libraries stay unsanitized; the program finds them beside itself only in build/.
if [ -z "${ALMANAC_LIGHTGBM_LIBRARY:-}" ] && [ -r "$BUILD/lib/lib_lightgbm.so" ]; then
  export ALMANAC_LIGHTGBM_LIBRARY=$BUILD/lib/lib_lightgbm.so
fi
if [ -z "${ALMANAC_DUCKDB_LIBRARY:-}" ] && [ -r "$BUILD/lib/libduckdb.so" ]; then
  export ALMANAC_DUCKDB_LIBRARY=$BUILD/lib/libduckdb.so
fi
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$ROOT/tools/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=halt_on_error=1:suppressions=$ROOT/tools/tsan.supp

check_format() { tools/format.sh --check; }
check_style() { tools/check_style.sh; }
check_layers() { tools/check_layers.sh; }
check_gcc() { CC=gcc tools/build.sh all bench_programs; }

check_docs() { # written beside the tree and compared, so that a check never changes a file
  tools/build.sh almanac
  rm -rf build/docs-generated
  build/almanac docs --out build/docs-generated
  diff -ru docs/generated build/docs-generated || die "docs/generated is stale: build/almanac docs --out docs/generated"
}

check_sanitize() {
  CC=clang BUILD_DIR=$ASAN tools/build.sh all bench_programs -- "${ASAN_BUILD[@]}"
  without_aslr ctest --test-dir "$ASAN" -j2 --output-on-failure --no-tests=error
}

check_fuzz() { FUZZ_SECONDS=${FUZZ_SECONDS:-10} tools/fuzz.sh; }

check_threads() {
  local folder path targets=()
  for folder in $THREADED; do
    for path in "src/$folder"/*_test.c; do
      [ -e "$path" ] && targets+=("${folder}_$(basename "$path" .c)")
    done
  done
  CC=clang BUILD_DIR=$TSAN tools/build.sh "${targets[@]}" -- -DALMANAC_SANITIZE=thread
  without_aslr ctest --test-dir "$TSAN" -j2 --output-on-failure --no-tests=error -R "^(${THREADED// /|})/"
}

tidy() { # tidy ARGUMENT... ; files on standard input, each ended by a zero byte
  xargs -0 -r -n 1 -P "$(nproc)" clang-tidy -p "$ASAN" --quiet "$@" 2>&1 | sed '/warnings\{0,1\} generated\.$/d'
}

check_tidy() {
  local code=0
  CC=clang configure "$ASAN" "${ASAN_BUILD[@]}" # for its compile commands; nothing is built
  find src fuzz bench -name '*.c' ! -name '*_test.c' ! -path src/base/err.c -print0 | sort -z |
    tidy --extra-arg-before="-include$ROOT/tools/analyzer.h" || code=1
  printf '%s\0' src/base/err.c | tidy || code=1
  find src -name '*_test.c' -print0 | sort -z | tidy --checks='-clang-analyzer-*' || code=1
  return "$code"
}

stages=("$@")
[ $# -gt 0 ] || stages=(format style layers gcc docs sanitize fuzz threads tidy)
tools/install.sh check
for name in "${stages[@]}"; do
  declare -F "check_$name" >/dev/null || die "unknown stage '$name'"
  stage "$name" "check_$name"
done
stages_end "check"
