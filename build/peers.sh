#!/usr/bin/env bash
# Installs the peers of the drawing figures from PyPI into the cache; prints the Python that has them.
set -euo pipefail
folder="${CACHE:-$HOME/.cache/vouchsafe}/peers"
wanted="typst==0.15.2 weasyprint==70.0"
if [ "$(cat "$folder/has" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$folder"
  python3 -m venv "$folder" >&2
  # shellcheck disable=SC2086
  "$folder/bin/pip" install --quiet $wanted >&2
  echo "$wanted" > "$folder/has"
fi
echo "$folder/bin/python"
