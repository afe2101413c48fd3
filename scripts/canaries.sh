#!/bin/sh
# Plants one bug after the other into the simulated mesh and tells after how many seeds the simulator has noticed it.
# Fails where one lives through all of them. The bugs are in Sources/Envelope/Canary.swift; see docs/testing.md.
#
#   scripts/canaries.sh                 all bugs, at most 2000 seeds each
#   scripts/canaries.sh NAME [SEEDS]    one of them
set -eu
cd "$(dirname "$0")/.."
seeds=${2:-2000}
folder=.build/canaries
log=$folder/build.log
mkdir -p $folder

GRIDRELAY_CANARIES=1 swift build --scratch-path $folder -c release --product simulate >$log 2>&1 || {
    cat $log >&2
    echo 'canaries: the simulator does not build' >&2
    exit 2
}
simulate=$folder/release/simulate
export SWIFT_BACKTRACE=enable=no

# An assertion of the code under test ends the process: found as well, by another watchman. The seed is looked for by
# running them one at a time.
trapped() {
    seed=1
    while [ "$seed" -le "$seeds" ]; do
        $simulate --plant "$1" --seeds "$seed" >/dev/null 2>&1 || break
        seed=$((seed + 1))
    done
    printf '%-34s %6d   an assertion of the code itself\n' "$1" "$seed"
}

survivors=0
printf '%-34s %6s   %s\n' bug seeds 'how it was noticed'
for canary in ${1:-$($simulate --canaries)}; do
    status=0
    $simulate --plant "$canary" --seeds "1..$seeds" >$folder/run.log 2>&1 || status=$?
    case $status in
    0)
        printf '%-34s %6s   in none of %d seeds\n' "$canary" - "$seeds"
        survivors=$((survivors + 1))
        ;;
    1)
        printf '%-34s %6d   %s\n' "$canary" "$(sed -n 's/^seed \([0-9]*\): .*/\1/p' $folder/run.log | head -n 1)" \
            "$(sed -n 's/^violation with seed [^:]*: //; T; s/, in step .*//; s/, at [^ ]*$//; p' $folder/run.log | head -n 1)"
        ;;
    2)
        cat $folder/run.log >&2
        exit 2
        ;;
    *) trapped "$canary" ;;
    esac
done
[ $survivors -eq 0 ] || {
    echo "canaries: $survivors not noticed" >&2
    exit 1
}
