#!/usr/bin/env bash
# Installs what is missing, configures and builds. Usage: scripts/build.sh [PRESET] [TARGET...]
# Presets: release (default), ci, debug, sanitize, thread-sanitize.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
shift || true
scripts/install_dependencies.sh
launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
cmake --preset "$preset" "${launcher[@]}" >/dev/null
cmake --build --preset "$preset" ${1:+--target "$@"}
