#!/usr/bin/env bash
# Brings the OpenID Connect provider that the tests sign in at into the cache: packages of the npm registry, each pinned
# by its digest in tests/oidc/package-lock.json, for Node from Debian, whose npm would bring four hundred packages.
# Prints the folder.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${CACHE:-$HOME/.cache/vouchsafe}/oidc-provider-$(sha256sum tests/oidc/package-lock.json | cut -c1-12)
mkdir -p "$(dirname "$folder")"
# Several tests ask at the same time: on an empty cache one brings it, the others wait.
exec 9>"$folder.lock"
flock 9
if [ ! -f "$folder/complete" ]; then
  rm -rf "$folder" "$folder.new"
  python3 - "$folder.new" >&2 <<'PYTHON'
import base64, hashlib, io, json, os, sys, tarfile, urllib.request
registry = os.environ.get("npm_config_registry") or os.environ.get("NPM_CONFIG_REGISTRY") or "https://registry.npmjs.org/"
for place, package in json.load(open("tests/oidc/package-lock.json"))["packages"].items():
    if not place:
        continue
    name = place.split("node_modules/")[-1]
    url = f"{registry.rstrip('/')}/{name}/-/{name.split('/')[-1]}-{package['version']}.tgz"
    content = urllib.request.urlopen(url, timeout=60).read()
    algorithm, _, digest = package["integrity"].partition("-")
    if hashlib.new(algorithm, content).digest() != base64.b64decode(digest):
        sys.exit(f"{url}: not what the lock file pins")
    archive = tarfile.open(fileobj=io.BytesIO(content))
    for member in archive.getmembers():
        inside = os.path.normpath(member.name).split("/", 1)
        if not member.isfile() or len(inside) < 2 or ".." in inside[1].split("/"):
            continue
        target = os.path.join(sys.argv[1], place, inside[1])
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(archive.extractfile(member).read())
PYTHON
  touch "$folder.new/complete"
  mv "$folder.new" "$folder"
fi
echo "$folder"
