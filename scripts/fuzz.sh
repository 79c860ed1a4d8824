#!/usr/bin/env bash
# Fuzzes the readers with libFuzzer (clang), AddressSanitizer and UndefinedBehaviorSanitizer: in turn,
# until each has had MINUTES of processor time. Usage: scripts/fuzz.sh [MINUTES] [TARGET...];
# default: 60, all. Prints executions, processor time and findings of this and earlier runs.
#
# What a finding needs to be repeated lies in build-fuzz/findings/; make it a file of fuzz/corpus/.
# What is worth keeping of the grown corpus: scripts/fuzz.sh merge (into fuzz/corpus, small files).
set -euo pipefail
cd "$(dirname "$0")/.."

all=()
for file in fuzz/fuzz_*.cpp; do
  name=$(basename "$file" .cpp)
  all+=("${name#fuzz_}")
done
command -v clang++ >/dev/null ||
  { echo "This needs clang: apt-get install clang libclang-rt-14-dev" >&2; exit 1; }

if [ "${1:-}" = merge ]; then
  for target in "${all[@]}"; do
    [ -d "build-fuzz/corpus/$target" ] || continue
    small=$(mktemp -d)
    find "build-fuzz/corpus/$target" -type f -size -5k -exec cp -t "$small" {} +
    "build-fuzz/fuzz_$target" -merge=1 -max_len=4096 "fuzz/corpus/$target" "$small" 2>&1 | tail -1
    rm -rf "$small"
  done
  exit
fi

minutes=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}"
mkdir -p build-fuzz/findings build-fuzz/spent

# spent TARGET: "executions seconds" so far
spent() { cat "build-fuzz/spent/$1" 2>/dev/null || echo "0 0"; }
# fuzz_round TARGET: some minutes of it
fuzz_round() {
  local target=$1 log=build-fuzz/$1.log grown=build-fuzz/corpus/$1
  mkdir -p "$grown"
  TIMEFORMAT=%U
  { time nice -n 19 "build-fuzz/fuzz_$target" "$grown" "fuzz/corpus/$target" -max_total_time=120 \
      -timeout=60 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
      -artifact_prefix="build-fuzz/findings/$target-" >"$log" 2>&1 || true; } 2>"$log.time"
  grep -q '^Done' "$log" || {
    cp "$log" "build-fuzz/findings/$target-$(date +%H%M%S).log"
    echo "$target: a finding"
    grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log" || true
  }
  local executions
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  spent "$target" | awk -v more="${executions:-0}" -v seconds="$(tail -1 "$log.time")" \
    '{ print $1 + more, $2 + seconds }' >"build-fuzz/spent/$target.new"
  mv "build-fuzz/spent/$target.new" "build-fuzz/spent/$target"
}

for ((more = 1; more; )); do
  more=0
  for target in "${targets[@]}"; do
    if spent "$target" | awk -v minutes="$minutes" '{ exit $2 < minutes * 60 }'; then continue; fi
    more=1
    fuzz_round "$target"
  done
done
for target in "${targets[@]}"; do
  spent "$target" | awk -v target="$target" \
    '{ printf "%-12s %12d executions, %6.1f minutes\n", target, $1, $2 / 60 }'
done
[ -z "$(ls build-fuzz/findings)" ] || { echo "Findings: build-fuzz/findings" >&2; exit 1; }
