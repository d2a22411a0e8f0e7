# reversald: `make` lists what there is to make.
.DEFAULT_GOAL := help
SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
MAKEFLAGS     += --no-print-directory
.DELETE_ON_ERROR:

include cross/targets.mk

# All of these can be given on the command line: make fuzz FUZZTIME=5m
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo v0.0.0)
# No clock of a terminal is right that shows less than this.
BUILT    ?= $(shell git log -1 --format=%ct 2>/dev/null)
FUZZTIME ?= 20s
TOOL     := go tool -modfile=.tools.mod
SCRIPTS  := .ci/run $(wildcard cross/*.sh cross/packages/scripts/*.sh cross/packages/init/[!i]*)

.PHONY: FORCE $(shell sed -nE 's/^([a-z0-9-]+):.*/\1/p' Makefile)

help: ## show this list
	@awk -F ':[^#]*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

build: ## reversald and acquirerd for this machine, into bin/
	CGO_ENABLED=0 go build -tags $(SHIP_TAGS) -trimpath $(SHIP_GCFLAGS) \
	  -ldflags '-X main.version=$(VERSION) -X main.built=$(BUILT)' -o bin/ ./agent/cmd/reversald ./iso/cmd/acquirerd

demo: build ## a sale, the plug pulled, the reversal, and the books that balance
	go build -o bin/demo ./cross/demo
	bin/demo -reversald bin/reversald $(DEMOFLAGS)

# Bounded: some four minutes on two cores. For a big run give numbers, and nice it.
# KILLS=20000 CUTS=5000 STATES=2000000 BLOCKS=50000 SEED=1 PARTS="kills states" KEEP=folder
KILLS  ?= 2500
CUTS   ?= 600
STATES ?= 120000
BLOCKS ?= 2500
SEED   ?= 0
torture: build ## power cuts, KILL, damage, full disks; and controls that must fail
	go build -o bin/ ./store/cmd/storm ./cross/torture ./cross/torture/recorder
	bin/torture -seed $(SEED) -kills $(KILLS) -cuts $(CUTS) -states $(STATES) -blocks $(BLOCKS) \
	  $(if $(KEEP),-keep $(KEEP)) $(TORTUREFLAGS) $(PARTS)

drill: build ## a technician's visit with picocom, tmux and lrzsz, over a cable
	go build -o bin/drill ./cross/drill
	bin/drill $(DRILLFLAGS)

cable-figures: build ## what a cable costs: the console at 9600 baud, the relay in noise
	go build -o bin/drill ./cross/drill
	bin/drill -figures

laptop: ## reversald for a technician's laptop: Linux, macOS and Windows
	for os in linux darwin windows; do \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=amd64 go build -tags $(SHIP_TAGS) -trimpath -buildvcs=false \
	    $(SHIP_GCFLAGS) -ldflags '-s -w -buildid= -X main.version=$(VERSION)' \
	    -o bin/laptop/$$os/ ./agent/cmd/reversald; \
	done
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -tags $(SHIP_TAGS) -trimpath -buildvcs=false \
	  $(SHIP_GCFLAGS) -ldflags '-s -w -buildid= -X main.version=$(VERSION)' \
	  -o bin/laptop/darwin-arm64/ ./agent/cmd/reversald

test: build ## every test, once
	go test ./...

race: build ## every test under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -count=1 ./...

mutants: ## defects put into the source, one at a time: a named test catches each (4 minutes)
	go build -o bin/mutants ./cross/mutants
	bin/mutants $(MUTANTFLAGS)

# Whose statements count, and whose tests do.
COVERED    := reversald/agent/payment,reversald/agent/reversal,reversald/store,reversald/iso
COVERED_BY := ./agent ./agent/payment ./agent/reversal ./agent/faultsim ./store/... ./iso/...
cover: ## how many statements of what decides, words and keeps the tests reach (2 minutes)
	@mkdir -p bin
	go test -count=1 -vet=off -coverpkg=$(COVERED) -coverprofile=bin/coverage.txt $(COVERED_BY) >bin/cover.log || \
	  { cat bin/cover.log; exit 1; }
	go run ./cross/cover $(COVERFLAGS) -packages $(COVERED) bin/coverage.txt

bench: build bin/sqlite ## how fast a sale and a power-up are, and what the journal costs, here
	go build -o bin/ ./cross/bench ./store/cmd/journalbench
	bin/journalbench -sqlite bin/sqlite $(JOURNALFLAGS)
	bin/bench $(BENCHFLAGS)

bench-api: build ## payments/s and added latency through the API door, at 1, 8 and 64 clients
	go build -o bin/bench ./cross/bench
	bin/bench api $(BENCHFLAGS)

bench-iso: build ## the same through the ISO door
	go build -o bin/bench ./cross/bench
	bin/bench iso $(BENCHFLAGS)

# All of these can be given: make simulate SEED=1 SALES=100000000 (a hundredth of them in the store).
SEED  ?= 0
SALES ?= 5000000
simulate: ## every short history; sales against every fault, by seed (SEED=1 SALES=5000000)
	go test -count=1 -run 'TestEveryHistory' -v ./agent/payment | grep -E 'histories|FAIL|^ok'
	go build -o bin/faultsim ./agent/cmd/faultsim
	bin/faultsim -depth core -seed $(SEED) -sales $(SALES)
	bin/faultsim -depth real -seed $(SEED) -sales $$(($(SALES) / 100))

compare: ## the same faults against what others do (SEED=1)
	go build -o bin/faultsim ./agent/cmd/faultsim
	bin/faultsim -compare -seed $(SEED) -sales 100000

year: ## a year of 500 sales a day below the journal's ceiling, in a minute
	@mkdir -p bin
	go build -o bin/ ./store/cmd/journalbench
	bin/journalbench -year

# A module of its own: nothing else here depends on SQLite.
bin/sqlite: cross/bench/sqlite/main.go cross/bench/sqlite/go.mod
	go build -C cross/bench/sqlite -o $(CURDIR)/bin/sqlite .

# go test takes one fuzz target at a time.
fuzz: ## every fuzz target in turn, each for FUZZTIME (20s)
	@{ grep -rHoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . || true; } | \
	  sed -E 's|/[^/]+:func | |' | sort -u | \
	  while read -r dir name; do \
	    echo "== $$dir $$name"; \
	    go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null; \
	  done

lint: ## house rules, import direction included; scripts too where shellcheck is
	$(TOOL) golangci-lint run --allow-parallel-runners ./...
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); \
	else echo 'shellcheck: not installed, scripts not checked'; fi

fmt: ## rewrite the sources in house format
	$(TOOL) golangci-lint fmt ./...

vuln: ## known holes in what we link (asks the Go vulnerability database)
	$(TOOL) govulncheck ./...

tidy-check: ## fail if go.mod, go.sum or the tool list is not as it should be
	go mod tidy -diff
	go list -modfile=.tools.mod -mod=readonly tool >/dev/null

# vet compiles tests as well, so an int that only fits into 64 bits is seen; a laptop
# compiles what it can. One target is built again elsewhere each time; `make reproduce` does them all.
cross: $(TARGETS:%=bin/%/reversald) ## static binaries for every terminal, none over 10 MB
	GOOS=linux CGO_ENABLED=0 $(GO_armv7) go vet ./...
	for os in darwin windows; do GOOS=$$os CGO_ENABLED=0 go build -o /dev/null ./agent/cmd/reversald; done
	go run ./cross/weigh -modules -max $(BINARY_BYTES_MAX) -known '$(KNOWN_MISS)' $^
	cross/reproduce.sh $(VERSION) armv7

reproduce: $(TARGETS:%=bin/%/reversald) ## every binary once more in another folder: the same bytes
	cross/reproduce.sh $(VERSION) $(TARGETS)

bin/%/reversald: FORCE
	@echo 'build $(or $(GO_$*),$(error no GO_$* in cross/targets.mk)) -> $@'
	@$(SHIP_ENV) $(GO_$*) go build $(SHIP_FLAGS) -o $@ ./agent/cmd/reversald

go123: bin/armv5-legacy/reversald bin/mipsle-legacy/reversald ## the same source under Go 1.23, for kernels before 3.2
	$(SHIP_ENV) $(GO_armv5-legacy) go build ./...
	go run ./cross/weigh -max $(BINARY_BYTES_MAX) $^

man: ## manual pages of every command, English and Chinese, into bin/man/
	go run -tags man ./agent/cmd/reversald bin/man

# The tests of what decides and of what is on disk, the demo's core, a log-in at the
# console, and what it weighs in memory, each under the oldest processor that the binary is for.
smoke: build $(SMOKE_TARGETS:%=smoke-%) ## tests and the demo's core with every binary, under qemu

smoke-%: bin/%/reversald FORCE
	cross/qemu.sh >/dev/null
	go build -o bin/demo ./cross/demo
	go build -o bin/drill ./cross/drill
	go build -o bin/footprint ./cross/footprint
	cross/smoke.sh $* '$(GO_$*)' '$(QEMU_$*)'

smoke-system: build bin/armv7/reversald ## a whole ARM machine: UBIFS, a cable, its plug pulled, the reversal
	go build -o bin/machine ./cross/machine
	cross/machine.sh $(MACHINEFLAGS)

footprint: build bin/amd64/reversald ## memory and start of the shipped binary, against an empty program
	go build -o bin/footprint ./cross/footprint
	bin/footprint -name amd64 -reversald bin/amd64/reversald

packages: build $(TARGETS:%=bin/%/reversald) ## deb, rpm, ipk, apk, tar.gz of every target, into bin/packages/
	go build -o bin/sbom ./cross/sbom
	@for target in $(TARGETS); do cross/package.sh $$target $(VERSION) bin/packages; done
	cross/unit.sh

package-test: build bin/amd64/reversald ## install, upgrade, remove with a reversal owed (Debian, root)
	cross/package-test.sh

unit-test: build bin/amd64/reversald ## a Debian that systemd boots: notify, watchdog, sandbox, sockets, power cut (root)
	cross/unit-test.sh

ci: tidy-check lint race cross go123 ## what must be green before a change lands

clean: ## remove bin/ and what the tests left
	rm -rf bin coverage.txt
	find . -name '*.test' -type f -delete
