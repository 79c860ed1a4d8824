#!/usr/bin/env bash
# All tests under AddressSanitizer with UndefinedBehaviorSanitizer, then those that may start threads
# under ThreadSanitizer, then the example under valgrind. Takes hours; ends with 0 if nothing was found.
# Usage: scripts/sanitizers.sh [address] [thread] [valgrind]; default: all three.
set -euo pipefail
cd "$(dirname "$0")/.."

what=("$@")
[ ${#what[@]} -gt 0 ] || what=(address thread valgrind)
[[ " ${what[*]} " != *" valgrind "* ]] || command -v valgrind >/dev/null ||
  { echo "This needs valgrind: apt-get install valgrind" >&2; exit 1; }

# check PRESET CTEST_ARGUMENTS...
check() {
  local preset=$1
  shift
  nice -n 19 scripts/build.sh "$preset" >/dev/null
  # The browser, npm and the shell are not ours to sanitize.
  nice -n 19 ctest --preset "$preset" -j "$(nproc)" \
    -E '^(Report\.(InABrowser|PageModules)|Layers\..*)$' "$@"
}

for each in "${what[@]}"; do
  case $each in
    address) check sanitize ;;
    thread) check thread-sanitize -LE '^(ir|relay|passes|report)$' ;;
    valgrind)
      nice -n 19 scripts/build.sh release quantization_tvm >/dev/null
      program=$PWD/build/quantization_tvm
      example=$(mktemp -d)
      trap 'rm -rf "$example"' EXIT
      cp -r examples/shapes/. "$example"
      # Every step of a run, on few images: it is fifty times slower.
      sed -i 's|<CalibSamples>64<|<CalibSamples>3<|' "$example/config.xml"
      find "$example/calibration" -name '*.png' | sort | tail -n +13 | xargs rm
      for scheme in integer tvm; do
        sed "s|<CalibSamples>|<Scheme>$scheme</Scheme><CalibSamples>|" "$example/config.xml" \
          >"$example/$scheme.xml"
        (cd "$example" && nice -n 19 valgrind -q --error-exitcode=99 --leak-check=full \
          --errors-for-leak-kinds=definite "$program" -q -c $scheme.xml --threads 2)
      done
      ;;
    *) echo "unknown: $each" >&2; exit 2 ;;
  esac
done
