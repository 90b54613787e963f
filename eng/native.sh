#!/usr/bin/env bash
# Builds a native library into artifacts/native:  eng/native.sh media|torch [cmake options]
# Quick when nothing has changed; prints the compiler's words only when they matter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=${1:-}
if [[ -z $name || ! -f native/$name/CMakeLists.txt ]]; then
  echo "usage: eng/native.sh media|torch [cmake options]; found '$name'" >&2
  exit 2
fi
shift

build=artifacts/native-build/$name
mkdir -p "$build"

quietly() {
  if ! "$@" > "$build/log.txt" 2>&1; then
    echo "failed: $*" >&2
    cat "$build/log.txt" >&2
    exit 1
  fi
  grep -A 5 'warning:' "$build/log.txt" >&2 || true
}

if [[ ! -f $build/CMakeCache.txt || $# -gt 0 ]]; then
  quietly cmake -S "native/$name" -B "$build" -DCMAKE_BUILD_TYPE=Release -DKINORA_OUTPUT="$PWD/artifacts/native" "$@"
fi
quietly cmake --build "$build" --parallel "$(nproc)"
