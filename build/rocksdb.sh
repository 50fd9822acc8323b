#!/usr/bin/env bash
# Compiles RocksDB's C++ once (about 20 minutes on two cores) into a cache, from the sources of the
# crate in Cargo.lock; every build then links the library through ROCKSDB_LIB_DIR.
# Usage: build/rocksdb.sh [--where]
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CACHE:=$HOME/.cache/vouchsafe}"
version=$(grep -A1 '^name = "librocksdb-sys"' Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')
flags=$(cat .cargo/config.toml build/rocksdb.sh | sha256sum | cut -c1-8)
folder=$CACHE/rocksdb/$version-$flags
if [ "${1:-}" = --where ]; then echo "$folder"; exit 0; fi
[ -f "$folder/librocksdb.a" ] && exit 0

target=$CACHE/rocksdb-build
mkdir -p "$folder" "$target"
exec 9>"$CACHE/rocksdb.lock"
flock 9
[ -f "$folder/librocksdb.a" ] && exit 0
echo "compiling RocksDB $version: about 20 minutes on two cores, only this once"
env -u ROCKSDB_LIB_DIR -u ROCKSDB_STATIC CARGO_TARGET_DIR="$target" CARGO_PROFILE_RELEASE_DEBUG=false \
  cargo build --release -p librocksdb-sys >"$target/log" 2>&1 9>&- &
cargo=$!
started=$SECONDS
said=0
while kill -0 "$cargo" 2>/dev/null; do
  sleep 2
  done=$(find "$target/release/build" -name '*.o' -path '*librocksdb-sys*' 2>/dev/null | wc -l || true)
  line="RocksDB: $done of about 345 files, $(((SECONDS - started) / 60)) min"
  if [ -t 1 ]; then printf '\r%s ' "$line"
  elif [ $((SECONDS - said)) -ge 60 ]; then echo "$line"; said=$SECONDS; fi
done
[ -t 1 ] && echo
wait "$cargo" || { tail -30 "$target/log"; exit 1; }
built=$(find "$target/release/build" -name librocksdb.a | head -1)
strip -g -o "$folder/librocksdb.a.new" "$built"
mv "$folder/librocksdb.a.new" "$folder/librocksdb.a"
rm -rf "$target"
