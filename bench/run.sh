#!/bin/sh
# Builds the programs as `make release` does, since what is shipped is what is measured; arguments go to bench/run.py.
set -eu
cd "$(dirname "$0")/.."
for product in relayd agentd relayctl bench; do
    swift build -c release --static-swift-stdlib --product $product
done
exec python3 bench/run.py "$@"
