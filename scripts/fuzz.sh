#!/usr/bin/env bash
# Fuzzes the readers, one after the other, with libFuzzer (clang), AddressSanitizer and
# UndefinedBehaviorSanitizer. Usage: scripts/fuzz.sh [MINUTES] [TARGET...]; default: 60, all.
# What a finding needs to be repeated lies in build-fuzz/findings/; make it a file of fuzz/corpus/.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for file in fuzz/fuzz_*.cpp; do
    name=$(basename "$file" .cpp)
    targets+=("${name#fuzz_}")
  done
fi
command -v clang++ >/dev/null ||
  { echo "This needs clang: apt-get install clang libclang-rt-14-dev" >&2; exit 1; }
cmake --preset fuzz >/dev/null
for target in "${targets[@]}"; do
  cmake --build --preset fuzz --target "fuzz_$target"
  grown=build-fuzz/corpus/$target  # what this and earlier runs found worth keeping
  mkdir -p "$grown" build-fuzz/findings
  echo "== $target, $minutes minutes"
  nice -n 19 "build-fuzz/fuzz_$target" "$grown" "fuzz/corpus/$target" \
    -max_total_time=$((minutes * 60)) -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="build-fuzz/findings/$target-" -print_final_stats=1 2>&1 |
    tee "build-fuzz/$target.log" | grep -E 'ERROR|SUMMARY|runtime error|stat::|Done' || true
  grep -q '^Done' "build-fuzz/$target.log" || { echo "$target: a finding" >&2; exit 1; }
done
