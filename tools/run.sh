#!/usr/bin/env bash
# make run: from nothing to answers over HTTP. Builds, imports, trains, prints the honest table, serves.
#   DATA=folder        what to import; else ../shared/data/football if it is there, else a simulated sample
#   LEAGUES='E0 SP1'   which leagues to train
#   ALMANAC_DATA_DIR   where everything is kept (almanac-data)       ALMANAC_PORT   5050
# Run again, it is quick: unchanged files are not imported again and a league with a model in production is not trained
# again. `rm -rf almanac-data` starts over.
set -euo pipefail
. "$(dirname "$0")/common.sh"

export ALMANAC_DATA_DIR=${ALMANAC_DATA_DIR:-almanac-data}
export ALMANAC_PORT=${ALMANAC_PORT:-5050}
TARGETS='1x2 ou25'
SAMPLE=../shared/data/football

choose_data() { # sets data and leagues
  leagues=${LEAGUES:-E0 SP1}
  if [ -n "${DATA:-}" ]; then
    [ -e "$DATA" ] || die "DATA: cannot find '$DATA'"
    data=$DATA
  elif [ -d "$SAMPLE" ]; then
    data=$SAMPLE
  else
    data=$ALMANAC_DATA_DIR/simulated
    if [ ! -d "$data" ]; then
      say "no data given (DATA=folder): simulating 4 leagues, 10 seasons"
      build/almanac simulate football --leagues 4 --seasons 10 --seed 7 --out "$data.part"
      mv "$data.part" "$data"
    fi
  fi
}

train() { # train LEAGUE TARGET FEATURES BOT
  if build/almanac models current --league "$1" --target "$2" --bot "$4" >/dev/null 2>&1; then
    printf '%s %s %s: a model is in production already\n' "$1" "$2" "$4"
  else
    build/almanac train --league "$1" --target "$2" --features "$3"
  fi
}

tools/install.sh run
tools/build.sh almanac
mkdir -p "$ALMANAC_DATA_DIR"
choose_data
say "importing $data"
build/almanac import football "$data"
for league in $leagues; do
  for target in $TARGETS; do
    say "training $league $target, without and with the bookmakers' prices"
    train "$league" "$target" no_prices lightgbm
    train "$league" "$target" with_prices lightgbm_prices
  done
done
say "the honest table"
build/almanac report

say "the control room is on http://127.0.0.1:$ALMANAC_PORT (Ctrl-C stops); ask from another terminal:"
cat <<TEXT
curl -s http://127.0.0.1:$ALMANAC_PORT/predict -H 'Content-Type: application/json' \\
  -d '{"league": "${leagues%% *}", "home": "Arsenal", "away": "Chelsea", "target": "1x2"}'
TEXT
exec build/almanac serve
