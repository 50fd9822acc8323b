#!/usr/bin/env bash
# Installs the Debian packages that are missing, with sudo where not root.
# Usage: build/packages.sh build|test|bench ...
set -euo pipefail
# libclang: RocksDB's bindings are generated at build time. g++: RocksDB itself.
build="libclang-dev g++ make python3 python3-pip"
# The clients and the browser that the tests drive, the tools that look into PDFs, the verifiers that are not ours, and
# the typefaces in which another system prints.
test="chromium nodejs curl cadaver litmus rclone fuse3 python3 poppler-utils qpdf openssl golang-go golang-golang-x-mod-dev gcc libc6-dev fonts-arphic-gbsn00lp fonts-arphic-gkai00mp fonts-wqy-microhei"
# The peers that figures are measured beside.
bench="chromium libpango-1.0-0 libpangoft2-1.0-0 poppler-utils python3-venv tesseract-ocr tesseract-ocr-chi-sim fonts-arphic-gbsn00lp fonts-arphic-gkai00mp fonts-wqy-microhei nginx-light libnginx-mod-http-dav-ext b3sum wrk python3"
wanted=""
for group in "$@"; do wanted="$wanted ${!group}"; done
missing=""
for package in $wanted; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "installing:$missing"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null || true
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
