#!/usr/bin/env bash
# Brings the toolchain to the state of the lock files; a call that finds it there does nothing.
#   tools/setup.sh            the main environment and the node packages
#   tools/setup.sh mythril    Mythril's own environment as well
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "setup: $1" >&2; exit 1; }
say() { echo "setup: $1" >&2; }

# A stamp holds the hash of what it was made from, and is written last: an interrupted set-up is done again.
current() { [[ -f .tools/$1.stamp && "$(cat ".tools/$1.stamp")" == "$2" ]]; }
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3 python; do
    [[ -n $candidate ]] && command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$candidate"; return
    fi
  done
  return 1
}

bootstrap() {
  local stamp; stamp=$(digest requirements/bootstrap.lock)
  current bootstrap "$stamp" && [[ -x .tools/uv/bin/uv ]] && return
  local python; python=$(find_python) || die "Python 3.11 is needed and was not found (set PYTHON=/path/to/python3.11)"
  "$python" -c 'import venv, ensurepip' 2>/dev/null || die "Python 3.11 lacks the venv module (on Debian: apt-get install python3.11-venv)"
  say "installer"
  rm -rf .tools/uv && mkdir -p .tools
  "$python" -m venv .tools/uv
  .tools/uv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock \
    || die "the installer could not be installed: is the Python package registry reachable?"
  echo "$stamp" > .tools/bootstrap.stamp
}

# environment NAME FOLDER: a virtual environment that holds exactly what requirements/NAME.lock lists.
environment() {
  local stamp; stamp=$(digest "requirements/$1.lock" pyproject.toml)
  current "$1" "$stamp" && [[ -x $2/bin/python ]] && return
  bootstrap
  say "Python environment $2 (requirements/$1.lock)"
  rm -rf "$2"
  .tools/uv/bin/uv venv -q --no-python-downloads --python "$(find_python)" "$2"
  .tools/uv/bin/uv pip sync -q --require-hashes --python "$2/bin/python" "requirements/$1.lock" \
    || die "requirements/$1.lock could not be installed: is the Python package registry reachable?"
  echo "$stamp" > ".tools/$1.stamp"
}

node_packages() {
  local stamp; stamp=$(digest package-lock.json tools/solc.js)
  current node "$stamp" && [[ -x .tools/bin/solc ]] && return
  command -v node >/dev/null || die "Node 20 or newer is needed and was not found"
  node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' || die "Node 20 or newer is needed, this is $(node --version)"
  command -v npm >/dev/null || die "npm is needed and was not found"
  say "node packages (package-lock.json)"
  # Not `npm ci`: it wants download addresses in the lock file for packages of other platforms, and ours holds none.
  npm install --no-save --silent --no-audit --no-fund --ignore-scripts || die "package-lock.json could not be installed: is the npm registry reachable?"
  mkdir -p .tools/bin .tools/solcx
  local tool binary
  for tool in anvil forge cast; do
    binary=$(find node_modules/@foundry-rs -path "*/bin/$tool" -type f | head -n 1)
    [[ -n $binary ]] || die "no $tool for $(uname -sm) among the node packages"
    ln -sfn "$PWD/$binary" ".tools/bin/$tool"
  done
  ln -sfn "$PWD/tools/solc.js" .tools/bin/solc
  ln -sfn "$PWD/tools/solc.js" .tools/solcx/solc-v0.8.30
  echo "$stamp" > .tools/node.stamp
}

environment main .venv
node_packages
for extra in "$@"; do
  case $extra in
    mythril) environment mythril .venv-mythril ;;
    *) die "unknown environment '$extra' (known: mythril)" ;;
  esac
done
