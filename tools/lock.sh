#!/usr/bin/env bash
# Writes every lock file anew: names, versions and hashes, and no address of any kind.
set -euo pipefail
cd "$(dirname "$0")/.."

for name in bootstrap main mythril; do
  override=()
  [[ $name != main ]] || override=(--override requirements/overrides.txt)
  .tools/uv/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
    "${override[@]}" "requirements/$name.in" -o "requirements/$name.lock"
done

# npm leaves out the version of packages for other platforms unless it may write where they come from.
npm install --package-lock-only --omit-lockfile-registry-resolved=false
node tools/strip-lock.js
