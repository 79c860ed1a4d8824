#!/usr/bin/env bash
# Installs the packages of package-lock.json, exactly those, into web/node_modules.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --loglevel=error || {
  cat >&2 <<'END'
npm could not install what the report page is made of (the reason is above).
The first build needs an npm registry: `npm config get registry` names the one in use, and
`npm ping` tests it. Later builds use web/node_modules and need no network.
END
  exit 1
}
