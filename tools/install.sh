#!/usr/bin/env bash
# Installs what the project needs on Debian 12, and nothing twice: `tools/install.sh LEVEL...`
#   run    compiler, libraries, Node with npm, LightGBM's and DuckDB's libraries   (make run, make build)
#   test   run + cmocka, Python with venv, Redis, Chromium              (make test)
#   check  test + clang and its tools                                   (make check, make fuzz)
#   bench  test + wrk                                                   (make bench)
# The second time it only asks dpkg, which takes milliseconds.
set -euo pipefail
. "$(dirname "$0")/common.sh"

RUN_PACKAGES=(build-essential cmake ninja-build pkg-config libsqlite3-dev libjansson-dev libmicrohttpd-dev
  libsodium-dev libinih-dev libhiredis-dev libwslay-dev libcurl4-openssl-dev libgnutls28-dev tzdata libgomp1 python3 python3-pip)
TEST_PACKAGES=(libcmocka-dev sqlite3 redis-server chromium python3-venv python3-dev)
CHECK_PACKAGES=(clang clang-format clang-tidy libclang-rt-14-dev llvm)
BENCH_PACKAGES=(wrk)

# The library of the boosted trees comes out of LightGBM's own Python package; the sums are of lib_lightgbm.so itself.
LIGHTGBM_VERSION=4.6.0
LIGHTGBM_SUM_X86_64=6a12e1a7b13824d14c252d2a4d2e36af467383331a114eb0e7448eecbf02d7b1
LIGHTGBM_SUM_AARCH64=c19b98944b3db0bfabca33cfd546fe2c487c2726464e879fa5ded673ad0cd8ba
LIGHTGBM_TARGET=$BUILD/lib/lib_lightgbm.so

# DuckDB's library comes out of its own npm package, the newest 1.5 there is for each machine; the sums are of libduckdb.so.
DUCKDB_X86_64=@duckdb/node-bindings-linux-x64@1.5.6-r.1
DUCKDB_SUM_X86_64=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
DUCKDB_AARCH64=@duckdb/node-bindings-linux-arm64@1.5.5-r.5
DUCKDB_SUM_AARCH64=d00d007f3f7ca1f2896a5e4b89c2ce141bf0508506a9d6d56f9598b8e59d074e
DUCKDB_TARGET=$BUILD/lib/libduckdb.so

missing_packages() { # prints those of its arguments that are not installed
  local package installed
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii *//p' || true)
  for package in "$@"; do
    grep -qxF "$package" <<<"$installed" || printf '%s\n' "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "neither root nor sudo: cannot run '$*'; run it as root, then try again"
  fi
}

apt_install() { # apt_install PACKAGE... : those that are missing
  local wanted
  mapfile -t wanted < <(missing_packages "$@")
  [ "${#wanted[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "no apt-get here; install by hand: ${wanted[*]}"
  say "installing ${wanted[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${wanted[@]}"
}

lightgbm_sum() {
  case "$(uname -m)" in
    x86_64) echo "$LIGHTGBM_SUM_X86_64" ;;
    aarch64) echo "$LIGHTGBM_SUM_AARCH64" ;;
    *) die "LightGBM's package has no library for $(uname -m); build it and set ALMANAC_LIGHTGBM_LIBRARY" ;;
  esac
}

lightgbm_extract() { # lightgbm_extract WHEEL-FOLDER TARGET
  "$PYTHON" - "$1" "$2" <<'PY'
import glob, os, sys, zipfile
wheel, = glob.glob(os.path.join(sys.argv[1], "lightgbm-*.whl"))
with zipfile.ZipFile(wheel) as archive, open(sys.argv[2], "wb") as out:
    out.write(archive.read("lightgbm/lib/lib_lightgbm.so"))
PY
}

lightgbm_install() {
  local sum folder=$BUILD/cache/lightgbm-$LIGHTGBM_VERSION stamp=$LIGHTGBM_TARGET.sha256
  if [ -n "${ALMANAC_LIGHTGBM_LIBRARY:-}" ]; then
    [ -r "$ALMANAC_LIGHTGBM_LIBRARY" ] || die "ALMANAC_LIGHTGBM_LIBRARY: cannot read '$ALMANAC_LIGHTGBM_LIBRARY'"
    return 0
  fi
  if PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q 'lib_lightgbm\.so '; then
    return 0
  fi
  sum=$(lightgbm_sum)
  # the stamp is written after the sum was verified; it is newer than the library unless that was touched since
  if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && [ "$stamp" -nt "$LIGHTGBM_TARGET" ]; then
    return 0
  fi
  say "fetching lib_lightgbm.so $LIGHTGBM_VERSION"
  PYTHON=$(find_python pip)
  rm -rf "$folder"
  mkdir -p "$folder" "$(dirname "$LIGHTGBM_TARGET")"
  "$PYTHON" -m pip download -q --no-deps --only-binary=:all: -d "$folder" "lightgbm==$LIGHTGBM_VERSION" ||
    die "cannot fetch lightgbm $LIGHTGBM_VERSION with pip; set ALMANAC_LIGHTGBM_LIBRARY to a lib_lightgbm.so of yours"
  lightgbm_extract "$folder" "$LIGHTGBM_TARGET.part"
  if ! echo "$sum  $LIGHTGBM_TARGET.part" | sha256sum --check --quiet -; then
    rm -f "$LIGHTGBM_TARGET.part"
    die "lib_lightgbm.so of the fetched package is not the pinned one (sha256 $sum)"
  fi
  mv "$LIGHTGBM_TARGET.part" "$LIGHTGBM_TARGET"
  rm -rf "$folder"
  echo "$sum" >"$stamp"
}

duckdb_package() { # prints package and sum for this machine
  case "$(uname -m)" in
    x86_64) echo "$DUCKDB_X86_64 $DUCKDB_SUM_X86_64" ;;
    aarch64) echo "$DUCKDB_AARCH64 $DUCKDB_SUM_AARCH64" ;;
    *) die "DuckDB's package has no library for $(uname -m); build it and set ALMANAC_DUCKDB_LIBRARY" ;;
  esac
}

duckdb_is_there() { # duckdb_is_there SUM : a library of the user's, of the system's, or the pinned one
  local stamp=$DUCKDB_TARGET.sha256
  if [ -n "${ALMANAC_DUCKDB_LIBRARY:-}" ]; then
    [ -r "$ALMANAC_DUCKDB_LIBRARY" ] || die "ALMANAC_DUCKDB_LIBRARY: cannot read '$ALMANAC_DUCKDB_LIBRARY'"
    return 0
  fi
  if PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q 'libduckdb\.so '; then
    return 0
  fi
  [ "$(cat "$stamp" 2>/dev/null)" = "$1" ] && [ "$stamp" -nt "$DUCKDB_TARGET" ]
}

duckdb_install() {
  local pinned package sum folder=$BUILD/cache/duckdb
  pinned=$(duckdb_package)
  read -r package sum <<<"$pinned"
  if duckdb_is_there "$sum"; then
    return 0
  fi
  say "fetching libduckdb.so ($package)"
  rm -rf "$folder"
  mkdir -p "$folder" "$(dirname "$DUCKDB_TARGET")"
  # pack only downloads: no script of the package runs, no node_modules comes to be
  (cd "$folder" && npm pack --silent --ignore-scripts "$package" >/dev/null) ||
    die "cannot fetch $package with npm; set ALMANAC_DUCKDB_LIBRARY to a libduckdb.so of yours"
  tar -xzf "$folder"/*.tgz -C "$folder" package/libduckdb.so
  if ! echo "$sum  $folder/package/libduckdb.so" | sha256sum --check --quiet -; then
    die "libduckdb.so of the fetched package is not the pinned one (sha256 $sum)"
  fi
  mv "$folder/package/libduckdb.so" "$DUCKDB_TARGET"
  rm -rf "$folder"
  echo "$sum" >"$DUCKDB_TARGET.sha256"
}

install_level() {
  local packages=("${RUN_PACKAGES[@]}")
  case "$1" in
    run) ;;
    test) packages+=("${TEST_PACKAGES[@]}") ;;
    check) packages+=("${TEST_PACKAGES[@]}" "${CHECK_PACKAGES[@]}") ;;
    bench) packages+=("${TEST_PACKAGES[@]}" "${BENCH_PACKAGES[@]}") ;;
    *) die "unknown level '$1': run, test, check or bench" ;;
  esac
  # for the dashboard, for DuckDB's library, and for the tests of the Node client
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
  apt_install "${packages[@]}"
}

[ $# -gt 0 ] || set -- run
for level in "$@"; do
  install_level "$level"
done
lightgbm_install
# Without DuckDB the program runs, all but the feature store and `almanac sql`, and says so; the tests need it.
if [ "$*" = run ]; then
  set +e
  (set -euo pipefail; duckdb_install)
  [ $? -eq 0 ] || say "no DuckDB: the feature store and 'almanac sql' will not work; everything else does"
  set -e
else
  duckdb_install
fi
