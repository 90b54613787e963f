#!/usr/bin/env bash
# Sets up what is missing, builds everything and runs every test. The last line holds the totals over all assemblies.
#   eng/test.sh            all
#   eng/test.sh Media Data only those test assemblies (Kinora.Media.Tests, Kinora.Data.Tests)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

eng/setup.sh test
eng/build.sh train
dotnet build Kinora.slnx --configuration Release --nologo --verbosity quiet

results=artifacts/test-results
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0 skipped=0
for project in test/*.Tests/; do
  name=$(basename "$project")
  if [ $# -gt 0 ]; then
    chosen=no
    for wanted in "$@"; do [ "$name" = "Kinora.$wanted.Tests" ] && chosen=yes; done
    [ $chosen = yes ] || continue
  fi
  report=$results/$name.xml
  started=$SECONDS
  code=0
  dotnet "artifacts/bin/$name/release/$name.dll" -noLogo -noColor -xml "$report" > "$results/$name.log" 2>&1 < /dev/null || code=$?
  # <assembly … total="12" passed="12" failed="0" skipped="0" …>
  line=$(grep -o '<assembly [^>]*>' "$report" 2> /dev/null | head -n 1 || true)
  count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<< "$line"; }
  ok=$(count passed) bad=$(count failed) skip=$(count skipped) errors=$(count errors)
  bad=$((${bad:-0} + ${errors:-0}))
  # A crash, or a run without a report, is a failure too.
  if [ -z "$line" ] || { [ $code -ne 0 ] && [ $bad -eq 0 ]; }; then bad=$((bad + 1)); fi
  printf '%-28s %5d passed %3d failed %3d skipped %5d s\n' "$name" "${ok:-0}" "$bad" "${skip:-0}" $((SECONDS - started))
  grep -E '\[(FAIL|SKIP)\]' -A 12 "$results/$name.log" | grep -vE '^--$' | grep -E '\[SKIP\]' | sed 's/^ */  /' | head -n 40 || true
  if [ $bad -gt 0 ]; then
    grep -A 25 '\[FAIL\]' "$results/$name.log" | head -n 120 || tail -n 60 "$results/$name.log"
    [ -n "$line" ] || tail -n 60 "$results/$name.log"
  fi
  passed=$((passed + ${ok:-0})) failed=$((failed + bad)) skipped=$((skipped + ${skip:-0}))
done

[ $((passed + failed)) -gt 0 ] || { echo "no test ran"; exit 1; }
echo
if [ $skipped -gt 0 ]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[ $failed -eq 0 ]
