#!/usr/bin/env bash
# Fails when a folder of src/ includes from a folder that it must not know (HACKING.md, "Levels"),
# or when a third-party header is included outside its one home.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A may_include=(
  [base]="base"
  [ir]="ir base"
  [relay]="relay ir base"
  [exec]="exec ir base"
  [passes]="passes exec ir base"
  [data]="data ir base"
  [quant]="quant passes exec ir base"
  [analysis]="analysis quant passes exec ir base"
  [report]="report base"
  [driver]="driver report analysis relay data quant passes exec ir base"
)
# header pattern -> the only place that may include it
declare -A home=(
  ["dnnl.hpp"]="src/exec/onednn"
  ["opencv2/"]="src/data/"
  ["pugixml.hpp"]="src/driver/config_xml"
  ["simdjson.h"]="src/(relay|quant)/"
  ["zlib.h"]="src/data/"
  ["CLI/"]="tools/"
  ["spdlog/"]="tools/"
)

status=0
complain() { echo "$1" >&2; status=1; }

for folder in "${!may_include[@]}"; do
  while IFS=: read -r file line text; do
    included=$(sed -E 's/.*#include "([a-z_]+)\/.*/\1/' <<<"$text")
    [[ " ${may_include[$folder]} " == *" $included "* ]] ||
      complain "$file:$line: src/$folder must not include from $included/"
  done < <(grep -rnE '#include "[a-z_]+/' "src/$folder" --include='*.h' --include='*.cpp' || true)
done

for header in "${!home[@]}"; do
  while IFS=: read -r file line _; do
    grep -qE "^${home[$header]}" <<<"$file" ||
      complain "$file:$line: <$header> belongs to ${home[$header]} only"
  done < <(grep -rnE "#include [<\"]${header//./\\.}" src tools --include='*.h' --include='*.cpp' || true)
done
exit $status
