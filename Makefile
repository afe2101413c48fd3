# Targets with a comment behind two number signs are listed by `make help`.

SWIFT     ?= swift
# Debian's packages serve Debian's Python; another one may stand before it in PATH.
PYTHON    ?= $(shell for python in python3 /usr/bin/python3; do \
                 $$python -c 'import cryptography, zstandard' 2>/dev/null && echo $$python && exit; done; echo python3)
PREFIX    ?= /usr/local
DESTDIR   ?=
# Seeds of the simulated runs, first..last.
SEEDS     ?= 1..600
STOP      ?= 120
# Seeds that `make replay` runs again and again.
REPLAY    ?= 1..1000
# What `make fuzz` and `make endurance` try, and for how long the first does.
NAME      ?=
SECONDS   ?= 60
# More words for the benchmark, such as --reps 5, --seconds 2, --into bench/RESULTS.md.
BENCH     ?=
BENCH_ALL  = throughput,latency,failover,outage,agents,start,files,flat,disk,micro,instructions
# Where the demo works.
DEMO_DIR  ?= .demo

# What a report of the simulator says it ran.
simulate: export GRIDRELAY_COMMIT := $(shell git describe --always --dirty --exclude '*' 2>/dev/null || echo 'not told')

PROGRAMS  = relayd agentd relayctl
RELEASE   = .build/release

.DEFAULT_GOAL := help
.PHONY: help deps toolchain build demo test lint fmt bench bench-peers simulate simulate-canaries replay endurance fuzz coverage soak release docs install clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: toolchain ## install the Debian packages that are missing, and look for a Swift toolchain
	@scripts/deps.sh

toolchain:
	@scripts/toolchain.sh '$(SWIFT)'

build: toolchain ## build everything for debugging
	$(SWIFT) build

demo: deps ## run three zones on this machine: real rows, a cut link, a killed relay, a report (about a minute)
	$(SWIFT) build -c release --product relayd
	$(SWIFT) build -c release --product agentd
	$(SWIFT) build -c release --product relayctl
	@$(RELEASE)/relayctl demo run --dir '$(DEMO_DIR)'

test: deps ## run simulated meshes, twenty kills of real processes and every test, and check the format's vectors with the independent reader
	@echo 'scripts/check_vectors.py'
	@$(PYTHON) scripts/check_vectors.py
	@$(MAKE) --no-print-directory simulate
	$(SWIFT) build --build-tests
	scripts/endurance kills --short --bin .build/debug
	$(SWIFT) test

lint: toolchain ## check the formatting and the rules of the house
	$(SWIFT) format lint --strict -r Sources Tests Package.swift
	@scripts/tidy.sh

fmt: toolchain ## format the sources in place
	$(SWIFT) format -i -r Sources Tests Package.swift

bench: deps ## measure throughput, latency, failures, memory and single operations, beside a reference in C: BENCH='--seconds 2'
	@bench/run.sh --against reference --cases '$(BENCH_ALL)' $(BENCH)

bench-peers: deps ## measure ours, the reference and NATS by turns, and fetch NATS where it is missing: BENCH='--reps 5'
	@bench/run.sh --against nats,reference --cases throughput,latency --add $(BENCH)

simulate: deps ## run whole simulated meshes with faults, a seed each: SEEDS=first..last, STOP=seconds
	$(SWIFT) build -c release --product simulate
	$(RELEASE)/simulate --seeds '$(SEEDS)' --stop-after '$(STOP)'
	scripts/replay.sh 1..40
	@$(RELEASE)/simulate --speed

simulate-canaries: deps ## plant one bug after the other and tell after how many seeds the simulator notices
	@scripts/canaries.sh

replay: deps ## run each seed four times, in three processes, and compare the traces: REPLAY=first..last
	$(SWIFT) build -c release --product simulate
	scripts/replay.sh '$(REPLAY)'

endurance: deps ## play the long scenarios with real processes, all or NAME=kills: kills, million, diskloss, upgrade
	for program in $(PROGRAMS); do $(SWIFT) build -c release --product $$program || exit 1; done
	for name in $(or $(NAME),kills million diskloss upgrade); do scripts/endurance $$name || exit 1; done

fuzz: deps ## feed the parsers and machines with mutated input: all for 3 s each, or NAME=target SECONDS=60
	@scripts/fuzz.sh $(if $(NAME),'$(NAME)' --seconds '$(SECONDS)')

coverage: deps ## measure what the unit tests reach of the cores, and the corpora of the parsers
	@scripts/coverage.sh
	@scripts/fuzz.sh --coverage --check

soak: deps ## run the long forms and scenarios with real processes, an hour of seeds, planted bugs, and the short ones with sanitizers
	@$(MAKE) --no-print-directory simulate SEEDS=1..1000000 STOP=3600
	@scripts/canaries.sh
	@$(MAKE) --no-print-directory replay REPLAY=1..1000
	GRIDRELAY_SOAK=1 $(SWIFT) test --filter IntegrationTests
	@$(MAKE) --no-print-directory endurance
	scripts/endurance kills --sink sql --kills 300 --cuts 30 --records 300000
	scripts/sanitize.sh thread
	scripts/sanitize.sh address

release: toolchain ## build the programs optimised, with Swift's library inside
	for program in $(PROGRAMS); do $(SWIFT) build -c release --static-swift-stdlib --product $$program || exit 1; done

docs: toolchain ## write docs/relayctl.md anew from the command table
	$(SWIFT) build --product relayctl
	.build/debug/relayctl help --markdown > docs/relayctl.md

install: ## install what `make release` has built, below DESTDIR and PREFIX
	@for program in $(PROGRAMS); do \
	    test -x $(RELEASE)/$$program || { echo 'nothing to install yet: run make release' >&2; exit 1; }; done
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/gridrelay/topology' \
	    '$(DESTDIR)$(PREFIX)/share/gridrelay/data' '$(DESTDIR)$(PREFIX)/lib/systemd/system' \
	    '$(DESTDIR)$(PREFIX)/lib/sysusers.d' '$(DESTDIR)$(PREFIX)/lib/tmpfiles.d' \
	    '$(DESTDIR)$(PREFIX)/share/bash-completion/completions' '$(DESTDIR)$(PREFIX)/share/zsh/site-functions' \
	    '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d'
	install -m 755 -s $(addprefix $(RELEASE)/,$(PROGRAMS)) '$(DESTDIR)$(PREFIX)/bin/'
	install -m 644 topology/*.yaml '$(DESTDIR)$(PREFIX)/share/gridrelay/topology/'
	install -m 644 data/* '$(DESTDIR)$(PREFIX)/share/gridrelay/data/'
	for unit in relayd agentd; do \
	    sed 's|@bindir@|$(PREFIX)/bin|g' deploy/$$unit@.service \
	        > '$(DESTDIR)$(PREFIX)/lib/systemd/system/'$$unit@.service || exit 1; done
	install -m 644 deploy/gridrelay.sysusers '$(DESTDIR)$(PREFIX)/lib/sysusers.d/gridrelay.conf'
	install -m 644 deploy/gridrelay.tmpfiles '$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/gridrelay.conf'
	$(RELEASE)/relayctl completion bash > '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/relayctl'
	$(RELEASE)/relayctl completion zsh > '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_relayctl'
	$(RELEASE)/relayctl completion fish > '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/relayctl.fish'

clean: ## remove what was built, and a demo that was left up
	@if test -x $(RELEASE)/relayctl && test -d '$(DEMO_DIR)'; then $(RELEASE)/relayctl demo down --dir '$(DEMO_DIR)'; fi
	$(SWIFT) package clean
	rm -rf .build
