#!/usr/bin/env bash
# From a fresh checkout to a tested build: installs, builds with warnings as errors, runs all tests.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh ci
ctest --preset ci
