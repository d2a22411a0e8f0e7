# reversald: `make` lists what there is to make.
.DEFAULT_GOAL := help
SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
MAKEFLAGS     += --no-print-directory
.DELETE_ON_ERROR:

include cross/targets.mk

# All of these can be given on the command line: make fuzz FUZZTIME=5m
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo v0.0.0)
FUZZTIME ?= 20s
TOOL     := go tool -modfile=.tools.mod
SCRIPTS  := .ci/run $(wildcard cross/*.sh)

.PHONY: help build demo drill figures laptop test race bench fuzz lint fmt vuln tidy-check cross go123 smoke ci clean FORCE

help: ## show this list
	@awk -F ':[^#]*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

build: ## reversald and acquirerd for this machine, into bin/
	CGO_ENABLED=0 go build -tags $(SHIP_TAGS) -trimpath -ldflags '-X main.version=$(VERSION)' \
	  -o bin/ ./agent/cmd/reversald ./iso/cmd/acquirerd

demo: build ## a sale, the plug pulled, the reversal, and the books that balance
	go build -o bin/demo ./cross/demo
	bin/demo -reversald bin/reversald $(DEMOFLAGS)

drill: build ## a technician's visit with picocom, tmux and lrzsz, over a cable
	go build -o bin/drill ./cross/drill
	bin/drill $(DRILLFLAGS)

figures: build ## what a cable costs: the console at 9600 baud, the relay in noise
	go build -o bin/drill ./cross/drill
	bin/drill -figures

laptop: ## reversald for a technician's laptop: Linux, macOS and Windows
	for os in linux darwin windows; do \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=amd64 go build -tags $(SHIP_TAGS) -trimpath -buildvcs=false \
	    -ldflags '-s -w -buildid= -X main.version=$(VERSION)' \
	    -o bin/laptop/$$os/ ./agent/cmd/reversald; \
	done
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -tags $(SHIP_TAGS) -trimpath -buildvcs=false \
	  -ldflags '-s -w -buildid= -X main.version=$(VERSION)' \
	  -o bin/laptop/darwin-arm64/ ./agent/cmd/reversald

test: build ## every test, once
	go test ./...

race: build ## every test under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -count=1 ./...

bench: build ## how fast a sale and a power-up are, on this machine
	go build -o bin/bench ./cross/bench
	bin/bench $(BENCHFLAGS)

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

# vet compiles tests as well, so an int that only fits into 64 bits is seen.
cross: $(TARGETS:%=bin/%/reversald) ## static binaries for every terminal, none over 10 MB
	GOOS=linux CGO_ENABLED=0 $(GO_armv7) go vet ./...
	go run ./cross/weigh -max $(BINARY_BYTES_MAX) $^

bin/armv5-legacy/reversald: FORCE
	$(SHIP_ENV) $(GO_armv5-legacy) GOTOOLCHAIN=$(LEGACY_TOOLCHAIN) \
	  go build -modfile=$(LEGACY_MOD) $(SHIP_FLAGS) -o $@ ./agent/cmd/reversald

bin/%/reversald: FORCE
	$(SHIP_ENV) $(or $(GO_$*),$(error no GO_$* in cross/targets.mk)) \
	  go build $(SHIP_FLAGS) -o $@ ./agent/cmd/reversald

go123: bin/armv5-legacy/reversald ## the same source under Go 1.23, for kernels before 3.2
	$(SHIP_ENV) $(GO_armv5-legacy) GOTOOLCHAIN=$(LEGACY_TOOLCHAIN) \
	  go build -modfile=$(LEGACY_MOD) ./...
	go run ./cross/weigh -max $(BINARY_BYTES_MAX) $<

smoke: build bin/armv7/reversald ## the demo's core with the ARMv7 binary, under qemu
	cross/qemu.sh
	go build -o bin/demo ./cross/demo
	bin/demo -core -reversald 'qemu-arm-static bin/armv7/reversald' $(DEMOFLAGS)

ci: tidy-check lint race cross go123 ## what must be green before a change lands

clean: ## remove bin/ and what the tests left
	rm -rf bin coverage.txt
	find . -name '*.test' -type f -delete
