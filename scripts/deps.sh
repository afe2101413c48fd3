#!/bin/sh
# Installs the Debian packages that are missing. Changes nothing where all are there.
set -eu

build="pkg-config libuv1-dev libssl-dev zlib1g-dev libzstd-dev libyaml-dev libmicrohttpd-dev libcurl4-openssl-dev
       unixodbc-dev"
run="libsqliteodbc odbc-postgresql odbc-mariadb sqlite3"
test="openssl postgresql mariadb-server fio python3 python3-cryptography python3-zstandard iproute2 nftables procps gdb"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is no Debian: install by its own means what these packages hold:" >&2
    echo $build $run $test | fold -s -w 100 | sed 's/^/    /' >&2
    exit 0
fi

is_there() {
    case $1 in
    # Some images have these from pip.
    python3-cryptography) python3 -c 'import cryptography' 2>/dev/null && return 0 ;;
    python3-zstandard) python3 -c 'import zstandard' 2>/dev/null && return 0 ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=""
for package in $build $run $test; do
    is_there "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    exit 0
fi
echo "Missing packages:$missing"

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1; then
    as_root="sudo"
else
    echo "Only root can install packages, and there is no sudo here. As root, run:" >&2
    echo "    apt-get install$missing" >&2
    exit 1
fi

install_missing() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}

# The lists are fetched only where they are missing or out of date.
if ! install_missing; then
    echo "Once more, with fresh package lists:"
    $as_root apt-get update && install_missing || {
        echo "The packages could not be installed. When the reason above is mended, run make deps again, or:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    }
fi
