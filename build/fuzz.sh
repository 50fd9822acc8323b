#!/usr/bin/env bash
# Runs a fuzz target for some seconds with libFuzzer's coverage counters, on the stable compiler.
# Usage: build/fuzz.sh template|layout|scan SECONDS
set -euo pipefail
target="$1" seconds="$2"
cache="${CACHE:-$HOME/.cache/vouchsafe}"
cd "$(dirname "$0")/.."
counters="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
host="$(rustc -vV | sed -n 's/^host: //p')"
# With --target, build scripts and macros are compiled without the counters.
RUSTFLAGS="$counters" RUSTC_WRAPPER="$PWD/build/fuzz-rustc.sh" CARGO_TARGET_DIR="$cache/fuzz" \
  cargo build --quiet --release --manifest-path fuzz/Cargo.toml --target "$host" --bin "$target"
corpus="$cache/corpus/$target"
mkdir -p "$corpus" "$cache/found"
seeds=fuzz/seeds/"$target"
[ "$target" = template ] && seeds=templates
exec "$cache/fuzz/$host/release/$target" "$corpus" "$seeds" -max_total_time="$seconds" -max_len=65536 \
  -timeout=10 -rss_limit_mb=4096 -artifact_prefix="$cache/found/" -print_final_stats=1
