#!/usr/bin/env bash
# Fuzzes the readers with libFuzzer (clang), AddressSanitizer and UndefinedBehaviorSanitizer, as many
# at once as there are processors, until each has had MINUTES of processor time.
# Usage: scripts/fuzz.sh [MINUTES] [TARGET...]; default: 60, all.
# Prints executions, processor time and findings of this and earlier runs (build-fuzz/spent).
#
# What a finding needs to be repeated lies in build-fuzz/findings/, and its target is left alone for
# the rest of the run; make it a file of fuzz/corpus/, repair it, remove it from findings/.
# What is worth keeping of the grown corpus: scripts/fuzz.sh merge (into fuzz/corpus, small files).
set -euo pipefail
cd "$(dirname "$0")/.."

all=()
for file in fuzz/fuzz_*.cpp; do
  name=$(basename "$file" .cpp)
  all+=("${name#fuzz_}")
done
command -v clang++ >/dev/null ||
  { echo "This needs clang: apt-get install clang libclang-rt-14-dev libomp-14-dev" >&2; exit 1; }

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
for target in "${targets[@]}"; do
  [ -f "fuzz/fuzz_$target.cpp" ] || { echo "No target $target; there are: ${all[*]}" >&2; exit 2; }
done

nice -n 19 scripts/build.sh fuzz "${targets[@]/#/fuzz_}"
mkdir -p build-fuzz/findings build-fuzz/spent build-fuzz/corpus/network
# Networks to start from, where the data beside the project are.
for model in ../shared/golden/nets/*/model.json; do
  [ ! -f "$model" ] || cp "$model" "build-fuzz/corpus/network/$(basename "$(dirname "$model")").json"
done

# spent TARGET: "executions seconds" so far
spent() { cat "build-fuzz/spent/$1" 2>/dev/null || echo "0 0"; }
# enough TARGET: it has had its minutes
enough() { spent "$1" | awk -v minutes="$minutes" '{ exit $2 < minutes * 60 }'; }
# fuzz_round TARGET: some minutes of it; false after a finding
fuzz_round() {
  local target=$1 log=build-fuzz/$1.log found=0 executions
  local corpus=("build-fuzz/corpus/$1" "fuzz/corpus/$1")
  mkdir -p "build-fuzz/corpus/$1"
  [ "$target" != network ] || corpus+=(fuzz/corpus/module)
  # libFuzzer looks at the clock on the wall: on a busy machine a second of work can take half a minute.
  TIMEFORMAT='%U %S'
  { time nice -n 19 "build-fuzz/fuzz_$target" "${corpus[@]}" -max_total_time=120 \
      -timeout=300 -report_slow_units=300 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
      -artifact_prefix="build-fuzz/findings/$target-" >"$log" 2>&1 || found=1; } 2>"$log.time"
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  spent "$target" | awk -v more="${executions:-0}" -v seconds="$(tail -1 "$log.time")" \
    '{ split(seconds, each, " "); print $1 + more, $2 + each[1] + each[2] }' \
    >"build-fuzz/spent/$target.new"
  mv "build-fuzz/spent/$target.new" "build-fuzz/spent/$target"
  [ $found -eq 1 ] || return 0
  cp "$log" "build-fuzz/findings/$target-$(date +%H%M%S).log"
  echo "$target: a finding"
  grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log" || true
  return 1
}

# In rounds, so that all have had about the same whenever this is ended.
pending=("${targets[@]}")
while [ ${#pending[@]} -gt 0 ]; do
  more=$(mktemp -d)
  for target in "${pending[@]}"; do
    if enough "$target"; then continue; fi
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
    { if fuzz_round "$target"; then : >"$more/$target"; fi; } &
  done
  wait
  mapfile -t pending < <(ls "$more")
  rm -rf "$more"
done
for target in "${targets[@]}"; do
  spent "$target" | awk -v target="$target" \
    '{ printf "%-12s %12d executions, %6.1f minutes\n", target, $1, $2 / 60 }'
done
[ -z "$(ls build-fuzz/findings)" ] || { echo "Findings: build-fuzz/findings" >&2; exit 1; }
