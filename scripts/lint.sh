#!/usr/bin/env bash
# clang-format and clang-tidy over the C++ files given, or over everything with prettier over web/.
# Silent means clean.
# Needs a configured build/ (scripts/build.sh) and Debian's clang-format and clang-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -gt 0 ]; then
  files=("$@")
else
  mapfile -t files < <(git ls-files '*.cpp' '*.h')
fi
clang-format --dry-run --Werror "${files[@]}"
printf '%s\n' "${files[@]}" | grep '\.cpp$' |
  xargs --no-run-if-empty -P "$(nproc)" -n 1 clang-tidy -p build --quiet 2> >(grep -v 'warnings generated' >&2)
[ $# -gt 0 ] || npm --prefix web run --silent lint
