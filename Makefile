# Thin: every target is one script of tools/, which installs what it needs the first time.
#   make run [DATA=folder]   import, train, judge, serve on 127.0.0.1:5050 (ALMANAC_PORT)
#   make test                unit, black-box and client tests
#   make check               both compilers, sanitizers, LAYERS, format, tidy, docs fresh, short fuzzing
#   make bench               the table of bench/README.md
#   make fuzz [FUZZ_SECONDS=60]   every fuzzer, longer
#   make build               build/almanac only
#   make install [PREFIX=/usr/local] [DESTDIR=]   program, and the library of the boosted trees in PREFIX/lib/almanac
#   make format, make clean
PREFIX ?= /usr/local

.PHONY: run test bench check fuzz build install format clean

run:
	@DATA='$(DATA)' tools/run.sh

test:
	@tools/test.sh

bench:
	@tools/bench.sh

check:
	@tools/check.sh

fuzz:
	@tools/fuzz.sh

build:
	@tools/install.sh run
	@tools/build.sh almanac

install: build
	cmake --install build --prefix '$(PREFIX)'

format:
	@tools/install.sh check
	@tools/format.sh

# build/ only: imported data and models in almanac-data/ stay
clean:
	rm -rf build
