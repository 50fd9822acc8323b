#!/usr/bin/env bash
# rustc for fuzz targets: the network's own arithmetic is compiled without coverage counters and assertions. With
# them it takes more than half an hour, and what comes from outside never reaches it but as numbers.
set -euo pipefail
arguments=()
counted=yes
for argument in "$@"; do
  case $argument in rten | rten_*) counted=no ;; esac
done
for argument in "$@"; do
  case $argument in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-* | -Ccodegen-units=1) [ $counted = no ] && continue ;;
    debug-assertions=on) [ $counted = no ] && argument=debug-assertions=off ;;
  esac
  arguments+=("$argument")
done
exec "${arguments[@]}"
