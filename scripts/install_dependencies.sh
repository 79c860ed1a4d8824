#!/usr/bin/env bash
# Installs everything the build and the tests need on Debian 12, from Debian's packages only (the npm
# packages of the report page are installed by the build, from web/package-lock.json).
# Does nothing (and needs no root) when it is all there.
set -euo pipefail

packages=(
  g++ cmake ninja-build
  libdnnl-dev ocl-icd-opencl-dev                                   # float and integer kernels; its
                                                                   # CMake files ask for OpenCL
  libopencv-core-dev libopencv-imgcodecs-dev libopencv-imgproc-dev # image decoding and resizing
  libjpeg-dev libpng-dev libwebp-dev                               # ... the three formats read directly
  libpugixml-dev libsimdjson-dev zlib1g-dev                        # file formats
  libcli11-dev libfmt-dev libspdlog-dev                            # command line, text, log
  libgtest-dev libgmock-dev libbenchmark-dev                       # tests, benchmarks
  chromium fonts-dejavu-core                                       # ... of the report page
)
# Bundle the report page. Whoever has a Node.js from elsewhere keeps it.
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "Run this as root, or install sudo. Missing packages: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
