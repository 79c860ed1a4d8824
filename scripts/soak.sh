#!/usr/bin/env bash
# What takes longer than tests may: 200 kills, and the fuzz targets' own mutations for some minutes
# each, without clang. Usage: scripts/soak.sh [PRESET] [MINUTES]; default: ci, 1.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-ci}
minutes=${2:-1}
scripts/build.sh "$preset"
build=build
case $preset in sanitize | thread-sanitize | debug) build=build-$preset ;; esac
tests/tools/faults_test.sh "$PWD/$build/quantization_tvm" "$PWD" 200
for corpus in fuzz/corpus/*; do
  target=$(basename "$corpus")
  echo "== $target"
  nice -n 19 "$build/replay_$target" "$corpus" "minutes=$minutes" "first=$RANDOM"
done
