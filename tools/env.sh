# Puts the project's tools on this shell's path: `source tools/env.sh` in bash or zsh, from anywhere.
# The one place where these variables are set; the Makefile and .ci/run source it as well.
if [ -n "${BASH_VERSION:-}" ]; then
  BREAKWATER_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
else
  BREAKWATER_ROOT=$(cd "$(dirname "$0")/.." && pwd)
fi
export BREAKWATER_ROOT
export SOLCX_BINARY_PATH="$BREAKWATER_ROOT/.tools/solcx"
export APE_DATA_FOLDER="$BREAKWATER_ROOT/.cache/ape"
mkdir -p "$APE_DATA_FOLDER" # ape makes the folder, but not its parent
# ape's Solidity plugin declares a settings field that pydantic cannot resolve; it works all the same.
export PYTHONWARNINGS="ignore:Field 'import_remapping' has an incomplete definition"
case ":$PATH:" in
  *":$BREAKWATER_ROOT/.venv/bin:"*) ;;
  *) export PATH="$BREAKWATER_ROOT/.venv/bin:$BREAKWATER_ROOT/.tools/bin:$PATH" ;;
esac
