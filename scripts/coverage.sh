#!/bin/sh
# Measures what the unit tests of each core reach of it: regions and lines, by module, and the files of the journal's
# recovery by themselves. Fails below 90 % of a module's regions. See docs/testing.md.
#
#   scripts/coverage.sh                 tables
#   scripts/coverage.sh MODULE          every file of one module
#   scripts/coverage.sh --missing FILE  the regions of a source file, such as Journal/Recovery.swift, that are not reached
set -eu
cd "$(dirname "$0")/.."
cores='Envelope Crypto Keyring Journal Link Mesh AgentCore RelayCore'
folder=.build/coverage
mkdir -p $folder
least=90

# shellcheck disable=SC2086 # a list of words
tests=$(printf '%s|' $cores)
swift test --scratch-path $folder --enable-code-coverage --filter "^(${tests%|})Tests\\." >$folder.log 2>&1 || {
    cat $folder.log >&2
    echo 'coverage: the tests fail' >&2
    exit 1
}
tools=$(dirname "$(readlink -f "$(command -v swift)")")
program=$folder/debug/GridRelayPackageTests.xctest
profile=$folder/debug/codecov/default.profdata

report() { "$tools/llvm-cov" report $program -instr-profile=$profile "$@"; }

case ${1-} in
--missing)
    exec "$tools/llvm-cov" show $program -instr-profile=$profile -show-regions -show-line-counts-or-regions \
        "Sources/${2:?which file?}"
    ;;
?*)
    report "Sources/$1"
    exit
    ;;
esac

# row NAME FILES...: the sum of a report. Branches are counted by the compiler where it counts them at all.
row() {
    name=$1
    shift
    report "$@" | awk -v name="$name" '$1 == "TOTAL" || (NF > 10 && $2 ~ /^[0-9]+$/ && !total) {
        if ($1 == "TOTAL") total = 1
        line = sprintf("%-22s %8d %7.1f%% %8d %7.1f%% %10s", name, $2, 100 * ($2 - $3) / $2, $8, \
            100 * ($8 - $9) / $8, $11 > 0 ? sprintf("%.1f%%", 100 * ($11 - $12) / $11) : "none")
    } END { print line }'
}

printf '%-22s %8s %8s %8s %8s %10s\n' core regions reached lines reached branches
status=0
for core in $cores; do
    line=$(row "$core" "Sources/$core")
    echo "$line"
    echo "$line" | awk -v least=$least '{ exit $3 + 0 < least }' || {
        echo "coverage: $core is below $least %" >&2
        status=1
    }
done
echo
for file in Sources/Journal/Recovery*.swift; do row "$(basename "$file")" "$file"; done
exit $status
