#!/usr/bin/env bash
# Builds the dashboard, web/, into build/web, where the program's build takes it from, with a .gz and a .br beside every
# file. The stamp is the sum of the sources: when they have not changed, nothing happens. Packages come with npm into
# build/web-work, by the lock file, and none of their scripts runs.
# Without npm, or without its registry the first time, the program is built all the same and says so on its first page.
set -euo pipefail
. "$(dirname "$0")/common.sh"

WORK=$BUILD/web-work
OUT=$BUILD/web
SOURCES=(package.json package-lock.json .npmrc tsconfig.json vite.config.ts index.html public src)

sum_of() { # sum_of PATH... : of names and contents below web/
  (cd web && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1
}

packages() { # installs what the lock file names, unless that is there
  local wanted
  wanted=$(cd web && cat package.json package-lock.json .npmrc | sha256sum)$(node --version)
  [ "$(cat "$WORK/packages.stamp" 2>/dev/null)" != "$wanted" ] || return 0
  say "fetching the packages of the dashboard"
  rm -rf "$WORK/node_modules" "$WORK/packages.stamp"
  (cd "$WORK" && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error)
  printf '%s\n' "$wanted" >"$WORK/packages.stamp"
}

copy_sources() {
  mkdir -p "$WORK"
  rm -rf "$WORK/src" "$WORK/public" "$WORK/dist"
  (cd web && cp -r "${SOURCES[@]}" "$WORK/")
}

licenses() { # licenses FILE : of the packages whose code is in the bundle
  (cd "$WORK" && node --input-type=module - "$1") <<'JS'
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const parts = [];
for (const [path, { version, license, dev, optional }] of Object.entries(packages)) {
  if (path === "" || dev || optional || !existsSync(path)) continue;
  const file = readdirSync(path).find((name) => /^licen[cs]e/i.test(name));
  const text = file ? readFileSync(`${path}/${file}`, "utf8").trim() : `licence: ${license}`;
  parts.push(`${path.replace(/^node_modules\//, "")} ${version} (${license})\n\n${text}\n`);
}
writeFileSync(process.argv[2], parts.join(`\n${"-".repeat(80)}\n\n`));
JS
}

compress() { # compress FOLDER : .gz and .br beside every file that gets smaller by it
  node --input-type=module - "$1" <<'JS'
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const walk = (folder) =>
  readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? walk(join(folder, name)) : [join(folder, name)]));
for (const path of walk(process.argv[2])) {
  const bytes = readFileSync(path);
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  if (gz.length < bytes.length * 0.97) writeFileSync(`${path}.gz`, gz);
  if (br.length < bytes.length * 0.97) writeFileSync(`${path}.br`, br);
}
JS
}

build() {
  copy_sources
  packages
  (cd "$WORK" && npx --no-install tsc --noEmit && npx --no-install vite build --logLevel warn)
  licenses "$WORK/dist/assets/licenses.txt"
  compress "$WORK/dist"
  rm -rf "$OUT"
  mv "$WORK/dist" "$OUT"
}

if ! command -v npm >/dev/null; then
  [ -r "$OUT/index.html" ] || say "no npm: the program is built without its dashboard"
  exit 0
fi
mkdir -p "$BUILD"
exec 9>"$BUILD/web.lock" # two builds at a time would write into the same folder
flock 9
stamp=$(sum_of "${SOURCES[@]}") # package-lock.json is one of them: versions count
if [ "$(cat "$BUILD/web.stamp" 2>/dev/null)" = "$stamp" ] && [ -r "$OUT/index.html" ]; then
  exit 0
fi
say "building the dashboard"
rm -f "$BUILD/web.stamp"
set +e
(set -euo pipefail; build)
code=$?
set -e
if [ "$code" -ne 0 ]; then
  # a mistake in the sources must not pass for a missing network
  [ ! -x "$WORK/node_modules/.bin/vite" ] || die "the dashboard does not build"
  say "the packages of the dashboard cannot be fetched: the program is built without it"
  exit 0
fi
printf '%s\n' "$stamp" >"$BUILD/web.stamp"
