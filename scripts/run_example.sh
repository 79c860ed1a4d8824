#!/usr/bin/env bash
# From a fresh checkout to a quantized model: installs, builds, and quantizes examples/shapes.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh release quantization_tvm
build/quantization_tvm -c examples/shapes/config.xml
