#!/bin/sh
# Builds the release programs and measures them; arguments go to bench/run.py.
set -eu
cd "$(dirname "$0")/.."
swift build -c release --product relayd
swift build -c release --product agentd
swift build -c release --product relayctl
swift build -c release --product bench
exec python3 bench/run.py "$@"
