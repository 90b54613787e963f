#!/usr/bin/env bash
# Installs what Kinora needs and is missing: Debian packages, the npm package with ONNX Runtime, NuGet packages.
#   eng/setup.sh run      what classifying needs
#   eng/setup.sh train    that, and libtorch for training and export
#   eng/setup.sh test     that, and what only tests and benchmarks use
#   eng/setup.sh --check  installs nothing; prints the Debian packages that are missing, one a line
# Idempotent, and quick when all is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'kinora set-up: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

missing_packages() { # purpose: each holds those before it
  local wanted
  wanted=$(awk -v purpose="$1" 'BEGIN { rank["run"] = 1; rank["train"] = 2; rank["test"] = 3 }
    !/^#/ && NF && rank[$2] <= rank[purpose] { print $1 }' eng/packages.txt)
  for package in $wanted; do
    case $package in
      # These are often there without Debian's packages (a vendor's npm, a newer compiler).
      npm | cmake | make | g++) command -v "$package" > /dev/null && continue ;;
      libtorch-dev) [ -n "${KINORA_LIBTORCH:-}" ] && continue ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || echo "$package"
  done
}

install_packages() { # purpose
  local missing as_root=()
  command -v dpkg-query > /dev/null || {
    say "no dpkg here, so nothing is installed; needed in Debian's names: $(awk '!/^#/ && NF { print $1 }' eng/packages.txt | xargs)"
    return
  }
  missing=$(missing_packages "$1" | xargs)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
      as_root=(sudo)
    elif command -v sudo > /dev/null && [ -t 0 ]; then
      as_root=(sudo)
    else
      fail "these packages are missing and need root: ask for 'apt-get install $missing', then run this again"
    fi
  fi
  say "installing $missing"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing > /dev/null
}

install_node_modules() {
  local stamp=node_modules/.kinora-lock
  cmp -s package-lock.json "$stamp" && return 0
  say "fetching ONNX Runtime (npm)"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null
  cp package-lock.json "$stamp"
}

case ${1:-train} in
  --check) missing_packages test; exit 0 ;;
  run | train | test) ;;
  *) fail "expected run, train, test or --check, found '$1'" ;;
esac
command -v dotnet > /dev/null || fail "the .NET 10 SDK is missing; install it first (https://dot.net), then run this again"
[ "$(dotnet --version 2> /dev/null | cut -d. -f1)" -ge 10 ] 2> /dev/null \
  || fail "expected .NET SDK 10 or newer, found '$(dotnet --version 2> /dev/null)'; install it first (https://dot.net)"
install_packages "${1:-train}"
install_node_modules
