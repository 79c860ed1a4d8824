#!/usr/bin/env bash
# Draws docs/report.png again: the top of the example's report, with labels. Needs a built build/.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r examples/shapes "$folder"
sed -i 's|</Path>|</Path><Labels>validation.txt</Labels>|' "$folder/shapes/config.xml"
program=$PWD/build/quantization_tvm
(cd "$folder" && "$program" --quiet -c shapes/config.xml)
node web/picture.mjs "$folder/quantized/shapes.report.html" docs/report.png
