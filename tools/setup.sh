#!/usr/bin/env bash
# Brings the toolchain to the state of the lock files; a call that finds it there does nothing.
#   tools/setup.sh            the main environment and the node packages
#   tools/setup.sh mythril    Mythril's own environment as well
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "setup: $1" >&2; exit 1; }
# A second worktree may share what the first one set up; it must not replace it.
shared() { [[ -L $1 ]] && say "$1 is a link and out of date: run tools/setup.sh where it points to"; }
say() { echo "setup: $1" >&2; }

# A stamp holds the hash of what it was made from, and is written last: an interrupted set-up is done again.
current() { [[ -f .tools/$1.stamp && "$(<".tools/$1.stamp")" == "$2" ]]; }
digest() { cat "$@" | (sha256sum 2>/dev/null || shasum -a 256) | cut -d' ' -f1; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3 python; do
    [[ -n $candidate ]] && command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Says what is wrong with the machine before anything is fetched.
check_machine() {
  local python version
  if ! python=$(find_python); then
    version=$(python3 --version 2>/dev/null) || version=
    die "Python 3.11 is needed and was not found${version:+ (python3 is $version)}; PYTHON=/path/to/python3.11 names one"
  fi
  "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
    die "Python 3.11 lacks the venv module (on Debian: apt-get install python3.11-venv)"
  command -v node >/dev/null || die "Node 20 or newer is needed and was not found"
  node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' >/dev/null 2>&1 ||
    die "Node 20 or newer is needed, this is $(node --version 2>/dev/null || echo "not a working one")"
  command -v npm >/dev/null || die "npm is needed and was not found (it comes with Node)"
}

bootstrap() {
  local stamp
  stamp=$(digest requirements/bootstrap.lock)
  current bootstrap "$stamp" && [[ -x .tools/uv/bin/uv ]] && return
  say "installer"
  rm -rf .tools/uv
  "$(find_python)" -m venv .tools/uv
  .tools/uv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock ||
    die "the installer could not be installed: is the Python package registry reachable?"
  echo "$stamp" >.tools/bootstrap.stamp
}

# environment NAME FOLDER: a virtual environment that holds exactly what requirements/NAME.lock lists.
environment() {
  local stamp
  stamp=$(digest "requirements/$1.lock")
  current "$1" "$stamp" && [[ -x $2/bin/python ]] && return
  shared "$2" && return
  bootstrap
  say "Python environment $2 (requirements/$1.lock)"
  rm -rf "$2"
  .tools/uv/bin/uv venv -q --no-python-downloads --python "$(find_python)" "$2"
  .tools/uv/bin/uv pip sync -q --require-hashes --python "$2/bin/python" "requirements/$1.lock" ||
    die "requirements/$1.lock could not be installed: is the Python package registry reachable?"
  echo "$stamp" >".tools/$1.stamp"
}

node_packages() {
  local stamp tool binary
  stamp=$(digest package-lock.json tools/solc.js tools/setup.sh)
  current node "$stamp" && [[ -x .tools/bin/solc && -x .tools/bin/anvil ]] && return
  shared node_modules && return
  say "node packages (package-lock.json)"
  # Not `npm ci`: it wants download addresses in the lock file for packages of other platforms, and ours holds none.
  npm install --no-save --silent --no-audit --no-fund --ignore-scripts ||
    die "package-lock.json could not be installed: is the npm registry reachable?"
  rm -rf .tools/bin .tools/solcx && mkdir -p .tools/bin .tools/solcx
  for tool in anvil forge cast; do
    binary=$(find node_modules/@foundry-rs -path "*/bin/$tool" -type f | head -n 1)
    [[ -n $binary ]] || die "no $tool for $(uname -sm) among the node packages"
    ln -sfn "../../$binary" ".tools/bin/$tool"
  done
  ln -sfn ../../tools/solc.js .tools/bin/solc
  # ape compiles source by source (see tools/solc.js); analysers want one compilation of everything.
  # shellcheck disable=SC2016 # the script that is written expands these, not this one
  printf '#!/bin/sh\nexec node "$(dirname "$0")/../../tools/solc.js" --per-file "$@"\n' >.tools/solcx/solc-v0.8.30
  chmod +x .tools/solcx/solc-v0.8.30
  echo "$stamp" >.tools/node.stamp
}

wanted=(main)
for extra in "$@"; do
  [[ $extra == mythril ]] || die "unknown environment '$extra' (known: mythril)"
  wanted+=("$extra")
done
check_machine
mkdir -p .tools
# Two targets at once must not install into each other.
if command -v flock >/dev/null; then
  exec 9>.tools/setup.lock
  flock 9
fi
for name in "${wanted[@]}"; do
  case $name in
    main) environment main .venv ;;
    mythril) environment mythril .venv-mythril ;;
  esac
done
node_packages
