#!/usr/bin/env bash
# Sets up what is missing and publishes the command line to artifacts/publish (ready-to-run code, so it starts fast).
#   eng/build.sh run|train
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
purpose=${1:-train}

# Two first calls at once must not build into one folder.
mkdir -p artifacts/publish
exec 9> artifacts/.build-lock
flock 9

started=$SECONDS
started_at=$(mktemp)
trap 'rm -f "$started_at"' EXIT
eng/setup.sh "$purpose"
eng/native.sh media
[ "$purpose" != train ] || eng/native.sh torch

echo "kinora set-up: building (a minute or so, only after a change)"
log=artifacts/build.log
publish() {
  dotnet publish src/Kinora.Cli/Kinora.Cli.csproj --configuration Release --runtime linux-x64 --self-contained false \
    --output artifacts/publish --nologo --verbosity quiet "$@" > "$log" 2>&1
}
# Ready-to-run needs a compiler package of the SDK's own patch version; without it the program still runs, starting slower.
publish -p:PublishReadyToRun=true || publish || { tail -n 40 "$log"; echo "kinora set-up: the build failed; all of it is in $log"; exit 1; }
touch -r "$started_at" "artifacts/publish/.built-$purpose"
[ "$purpose" != train ] || touch -r "$started_at" artifacts/publish/.built-run
echo "kinora set-up: ready after $((SECONDS - started)) s"
