#!/bin/sh
# Looks for a Swift toolchain that can build this package.
set -eu
swift=${1:-swift}
wanted_major=6
wanted_minor=2

if ! command -v "$swift" >/dev/null 2>&1; then
    echo "There is no '$swift' in PATH. GridRelay needs Swift $wanted_major.$wanted_minor or newer:" >&2
    echo "get it from https://www.swift.org/install/linux and put its usr/bin into PATH, or run make SWIFT=/path/to/swift." >&2
    exit 1
fi

version=$("$swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\)\.\([0-9][0-9]*\).*/\1 \2/p' | head -n 1)
if [ -z "$version" ]; then
    echo "'$swift --version' does not tell a version; is it a whole toolchain?" >&2
    exit 1
fi
major=${version% *}
minor=${version#* }
if [ "$major" -lt $wanted_major ] || { [ "$major" -eq $wanted_major ] && [ "$minor" -lt $wanted_minor ]; }; then
    echo "'$swift' is Swift $major.$minor; GridRelay needs $wanted_major.$wanted_minor or newer." >&2
    echo "Get it from https://www.swift.org/install/linux, or run make SWIFT=/path/to/swift." >&2
    exit 1
fi
