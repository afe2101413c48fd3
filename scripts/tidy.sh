#!/bin/sh
# Rules of the house that the compiler does not check; see CONTRIBUTING.md. Prints every breach, ends with 1 for any.
set -eu
cd "$(dirname "$0")/.."
breaches=0

# complain RULE LINES: prints the lines, if there are any.
complain() {
    if [ -n "$2" ]; then
        echo "$1:"
        echo "$2" | sed 's/^/    /'
        breaches=1
    fi
}

swift_files() { find Sources Tests -name '*.swift'; }

words='TO''DO|FIX''ME|XX''X'
complain "unfinished work belongs into an issue, not into a comment" \
    "$(grep -rnE "\b($words)\b" Sources Tests scripts docs topology deploy Makefile Package.swift ./*.md || true)"

complain "a failure is thrown and told, never trapped (try!, as!)" \
    "$(grep -rnE '\b(try|as)!' --include='*.swift' Sources Tests || true)"

complain "a file has at most 450 lines" \
    "$(swift_files | xargs wc -l | awk '$2 != "total" && $1 > 450 {print $2 ": " $1 " lines"}')"

complain "Foundation is for Admin and Commands alone" \
    "$(grep -rnE '^(@[a-z]+ )?import Foundation' --include='*.swift' Sources \
        | grep -vE '^Sources/(Admin|Commands)/' || true)"

complain "Admin and Commands take FoundationEssentials, not the whole Foundation" \
    "$(grep -rnE '^(@[a-z]+ )?import Foundation$' --include='*.swift' Sources/Admin Sources/Commands || true)"

cores="Envelope Crypto Keyring Journal Link Mesh AgentCore RelayCore"
for core in $cores; do
    [ -d "Sources/$core" ] || continue
    forbidden='Foundation[A-Za-z]*|Glibc|Dispatch|Synchronization|CUV|CMicroHTTPD|CCurl|CODBC|CYaml'
    complain "the core $core knows no sockets, files, clocks, locks, tasks or loggers" \
        "$(grep -rnE "^(@[a-z]+ )?import ($forbidden)\$" --include='*.swift' "Sources/$core" || true)"
    complain "the core $core imports downwards only" \
        "$(grep -rnE '^(@[a-z]+ )?import (Platform|Node|Relay|Agent|Connectors|Admin|Commands)$' \
            --include='*.swift' "Sources/$core" || true)"
done

if [ -d Sources/Simulation ]; then
    forbidden='import (Foundation[A-Za-z]*|Glibc|Dispatch|Synchronization)$|(Continuous|Suspending)Clock|SystemRandomNumberGenerator'
    complain "the simulator has no clock, entropy, lock or thread: a seed tells all" \
        "$(grep -rnE "$forbidden" --include='*.swift' Sources/Simulation || true)"
fi

if git rev-parse --git-dir >/dev/null 2>&1; then
    # A test may have a key that guards nothing, written out in a string; a file of its own may not.
    complain "a private key does not belong into git" \
        "$(git grep -lE '^-----BEGIN ([A-Z]+ )*PRIVATE KEY-----' || true)"
    complain "a file with a key's name does not belong into git" \
        "$(git ls-files -- '*.key' '*.pem' '*.grant' '*.p12' '*.pfx' || true)"
fi

exit $breaches
