#!/bin/sh
# Runs the integration tests, and the daemons they start, with ThreadSanitizer or AddressSanitizer in them, and fails
# where either reports anything. See docs/testing.md.
set -eu

usage() { echo 'usage: scripts/sanitize.sh thread|address [FILTER]      FILTER: IntegrationTests unless told' >&2; }

fail() {
    echo "sanitize: $*" >&2
    exit 1
}

cd "$(dirname "$0")/.."
kind=${1-} filter=${2-IntegrationTests}
case $kind in
thread) name=ThreadSanitizer ;;
address) name=AddressSanitizer ;;
*) usage; exit 2 ;;
esac
folder=.build/sanitize-$kind
reports=$(pwd)/$folder/reports
rm -rf "$reports"
mkdir -p "$reports"
flags=--sanitize=$kind

# The shim that shows ThreadSanitizer the locks, and proof that it sees them, and sees what is done without them.
show_locks() {
    tools=$(dirname "$(readlink -f "$(command -v swift)")")
    "$tools/clang" -O1 -fPIC -Wall -Wextra -Werror -c scripts/sanitize/mutex.c -o "$folder/mutex.o"
    for define in CAREFUL FORGETFUL; do
        swiftc -parse-as-library -swift-version 6 -O -g -sanitize=thread -D $define scripts/sanitize/mutex.swift \
            -Xlinker "$folder/mutex.o" -o "$folder/mutex-$define"
    done
    "$folder/mutex-CAREFUL" >"$folder/mutex.log" 2>&1 || {
        cat "$folder/mutex.log" >&2
        fail "ThreadSanitizer does not see the lock of a Mutex; scripts/sanitize/mutex.c does not fit this toolchain"
    }
    if "$folder/mutex-FORGETFUL" >"$folder/mutex.log" 2>&1; then
        fail "ThreadSanitizer does not see a race; it would see none in the tests"
    fi
    flags="$flags -Xlinker $(pwd)/$folder/mutex.o"
}

[ "$kind" = address ] || show_locks
# shellcheck disable=SC2086 # a list of options
swift build --build-tests --scratch-path "$folder" $flags
# Reports go to files, since most daemons of the tests are killed and have no exit status to tell with. Leaks are left
# out: the test runner itself has some.
export GRIDRELAY_SANITIZER="$kind"
export TSAN_OPTIONS="halt_on_error=0 log_path=$reports/thread"
export ASAN_OPTIONS="detect_leaks=0 halt_on_error=1 log_path=$reports/address"
status=0
# shellcheck disable=SC2086 # a list of options
swift test --skip-build --scratch-path "$folder" $flags --filter "$filter" || status=$?
if [ -n "$(ls "$reports")" ]; then
    head -n 60 "$reports"/* >&2
    fail "$name has reports; they lie in $reports"
fi
exit $status
