#!/bin/sh
# Cuts the font files in this folder from the full fonts. Needs npm, python3 and a network; not part of the build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent @expo-google-fonts/noto-serif-sc@0.4.3 @expo-google-fonts/noto-sans-sc@0.4.3 \
    @expo-google-fonts/source-serif-4@0.4.1
for package in serif:noto-serif-sc sans:noto-sans-sc latin:source-serif-4; do
    mkdir "${package%%:*}"
    tar xzf expo-google-fonts-"${package#*:}"-*.tgz -C "${package%%:*}" --strip-components=1
done
python3 -m venv tools
tools/bin/pip --quiet install fonttools==4.60.1
tools/bin/python "$here/subset.py" serif sans latin
