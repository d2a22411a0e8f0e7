#!/usr/bin/env bash
# Runs one shipped binary, and the tests of its core, under the emulator of its processor.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: cross/smoke.sh TARGET "GO ENVIRONMENT" "EMULATOR"

  1  go test of the packages that decide and that keep the journal, compiled for
     the target and run under the emulator
  2  the demo's core with bin/TARGET/reversald: sales, KILL, reversals, the books
  3  a log-in at its serial console, on a pty: a stranger's refused, a technician's let in
  4  memory at rest and with 64 clients, and start to listening

make smoke calls it for every target with what cross/targets.mk says.
TEXT
}

if [ $# -ne 3 ]; then
	usage >&2
	exit 64
fi
target=$1 emulator=$3
cd "$(dirname "${BASH_SOURCE[0]}")/.."
read -ra settings <<<"$2"

printf '\n== %s under %s\n' "$target" "$emulator"
# Tests may be written in a newer Go than the oldest toolchain has, so the legacy
# binary shares the tests of the other one, whose source it is.
if [[ $target != *-legacy ]]; then
	env CGO_ENABLED=0 GOOS=linux "${settings[@]}" go test -short -count=1 \
		-exec "$emulator" ./agent/payment ./agent/reversal
	# Of the journal, what needs no second process: the emulator is not asked to
	# start those of its own kind.
	env CGO_ENABLED=0 GOOS=linux "${settings[@]}" go test -short -count=1 \
		-exec "$emulator" -run '^Test(WhatWasAppended|ANoteSurvives|TheRingGives|ForgettingSpares|AMissingRing|AFlippedBit|TheFormat|SamplesOfEvery|VerifyProves|Marks|ACommitIs)' ./store
fi
bin/demo -core -reversald "$emulator bin/$target/reversald" | tail -n 9
bin/drill -knock -terminal "$emulator bin/$target/reversald"
bin/footprint -name "$target" -reversald "$emulator bin/$target/reversald" \
	-emulator "$emulator" -goenv "${settings[*]}"
