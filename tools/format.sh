#!/usr/bin/env bash
# make format: clang-format over our C; `tools/format.sh --check` changes nothing and fails on a difference.
set -euo pipefail
. "$(dirname "$0")/common.sh"

mapfile -t files < <(find src fuzz bench -name '*.[ch]' 2>/dev/null | sort)
[ "${#files[@]}" -gt 0 ] || exit 0
case "${1:-}" in
  --check) clang-format --dry-run -Werror "${files[@]}" ;;
  *) clang-format -i "${files[@]}" ;;
esac
