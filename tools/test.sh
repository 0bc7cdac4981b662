#!/usr/bin/env bash
# make test: unit tests (cmocka, CTest), black-box tests (pytest against the real binary), the tests of the Node client and
# of the dashboard's functions (its pages are tested by pytest, in Chromium).
# Arguments choose suites: `tools/test.sh unit`, `tools/test.sh blackbox node`. Logs stay in build/test-logs/.
set -euo pipefail
. "$(dirname "$0")/common.sh"

LOGS=$BUILD/test-logs
export ALMANAC_BINARY=$BUILD/almanac
export PYTHONDONTWRITEBYTECODE=1

suite_unit() {
  ctest --test-dir build -j2 --output-on-failure --no-tests=error 2>&1 | tee "$LOGS/unit.log"
}

suite_blackbox() {
  local python
  python=$(tools/venv.sh tests)
  "$python" -m pytest -p no:cacheprovider -q -ra tests 2>&1 | tee "$LOGS/blackbox.log"
}

suite_node() {
  # from inside the folder: what `node --test FOLDER` means differs between Node's versions
  (cd clients/node && node --test 2>&1) | tee "$LOGS/node.log"
  if [ -d "$BUILD/web-work/node_modules" ]; then # the dashboard's pure functions; bundled by its own tools
    rm -rf "$BUILD/web-work/test"
    cp -r web/test "$BUILD/web-work/test"
    (cd "$BUILD/web-work" && node --test 2>&1) | tee -a "$LOGS/node.log"
  fi
  # Node is content with no tests at all; we are not
  grep -Eq '^(#|ℹ) pass [1-9]' "$LOGS/node.log"
}

closing_lines() { # what each runner itself said last
  local suite
  for suite in "$@"; do
    [ -r "$LOGS/$suite.log" ] || continue
    case "$suite" in
      unit) grep -E 'tests passed|No tests' "$LOGS/unit.log" || true ;;
      blackbox) tail -n 1 "$LOGS/blackbox.log" ;;
      node) grep -E '^(#|ℹ) (tests|pass|fail|skipped) ' "$LOGS/node.log" | paste -sd' ' ;;
    esac | sed "s/^/$suite: /"
  done
}

suites=("$@")
[ $# -gt 0 ] || suites=(unit blackbox node)
rm -rf "$LOGS"
mkdir -p "$LOGS"
tools/install.sh test
tools/build.sh
for suite in "${suites[@]}"; do
  stage "$suite tests" "suite_$suite"
done
say "closing lines"
closing_lines "${suites[@]}"
stages_end "tests"
