#!/bin/sh
# Runs each seed twice in one process, once in another, and once in a third whose hash tables have a fixed order, and
# compares the trace hashes: a seed must tell all of a run. See docs/testing.md.
#
# Swift orders Dictionary and Set by a number drawn at the start of a process, so any two processes differ in it; with
# SWIFT_DETERMINISTIC_HASHING it is always the same.
set -eu

cd "$(dirname "$0")/.."
simulate=.build/release/simulate
case ${1-} in
*[0-9]..[0-9]*) seeds=$1 ;;
*) echo 'usage: scripts/replay.sh FIRST..LAST' >&2; exit 2 ;;
esac
test -x $simulate || { echo 'replay: first swift build -c release --product simulate' >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SWIFT_DETERMINISTIC_HASHING
status=0
# Two at a time.
$simulate --check-replay "$seeds" >"$folder/twice" &
first=$!
$simulate --hashes "$seeds" >"$folder/other" || status=1
SWIFT_DETERMINISTIC_HASHING=1 $simulate --hashes "$seeds" >"$folder/fixed" || status=1
wait $first || status=1
for other in other fixed; do
    diff "$folder/twice" "$folder/$other" >"$folder/difference" && continue
    echo "replay: these seeds went another way in another process ($other):"
    grep '^[<>]' "$folder/difference" | head -n 20
    status=1
done
if [ $status -ne 0 ]; then
    grep -A 1 'another way' "$folder/twice" >&2 || true
    echo "replay: seeds $seeds are not always the same run" >&2
    exit 1
fi
echo "$(wc -l <"$folder/twice") seeds, 4 runs each in 3 processes with different hash seeds: the same trace hashes"
