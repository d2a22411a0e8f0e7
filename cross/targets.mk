# What we build for. A target is a name in TARGETS and a line GO_<name> with the
# environment that makes it; README.md beside this file says what each one runs on.

TARGETS ?= armv5 armv6 armv7 arm64 amd64 mipsle armv5-legacy mipsle-legacy

GO_armv5  := GOARCH=arm GOARM=5
GO_armv6  := GOARCH=arm GOARM=6
GO_armv7  := GOARCH=arm GOARM=7
GO_arm64  := GOARCH=arm64
GO_amd64  := GOARCH=amd64 GOAMD64=v1
GO_mipsle := GOARCH=mipsle GOMIPS=softfloat

# The oldest kernels: the same source and the last Go that still promises 2.6.32.
LEGACY_TOOLCHAIN := go1.23.12
LEGACY_MOD       := cross/legacy.mod
GO_LEGACY        := GOTOOLCHAIN=$(LEGACY_TOOLCHAIN) GOFLAGS=-modfile=$(LEGACY_MOD)
GO_armv5-legacy  := $(GO_armv5) $(GO_LEGACY)
GO_mipsle-legacy := $(GO_mipsle) $(GO_LEGACY)

# Our choice: small enough to lie on a terminal's flash twice, old and new,
# while it is being updated.
BINARY_BYTES_MAX ?= 10000000

# What is known to miss that, by how much at most, and why; `make cross` prints it.
KNOWN_MISS := mipsle=10750000 MIPS code is a quarter wider than ARM: two instructions \
  for every address, software floating point; the rest is no larger than elsewhere \
  (mipsle-legacy is within it, with the toolchain of 2025)

# Nobody speaks HTTP/2 over a Unix socket on a terminal: half a megabyte less.
SHIP_TAGS := nethttpomithttp2

# What a technician's laptop does, a terminal does not: no private key is made or
# used there. `make build` and `make laptop` have those commands.
TERMINAL_TAGS := $(SHIP_TAGS),terminal

# Inlining costs a tenth of the binary and buys nothing where one flush to flash
# takes longer than all the code of a sale; it stays on where loops are hot: the
# runtime, arithmetic, checksums and ciphers, and the pages of the journal.
SHIP_INLINED := runtime runtime/... internal/... sync sync/... math/... hash/... \
  crypto/internal/... vendor/golang.org/x/crypto/... go.etcd.io/bbolt/...
SHIP_GCFLAGS = '-gcflags=all=-l $(SHIP_SMALL)' $(SHIP_INLINED:%=-gcflags=%=)

# Generic code is named after the whole text of its types: 20 kB of names that no person
# reads. And a slice whose length is not known is made on the heap, as before Go 1.25,
# instead of in one of two places: 20 to 30 kB of code. Go 1.26 knows both; 1.23 does not.
SHIP_SMALL = $(if $(filter-out %-legacy,$*),-d=maxshapelen=20$(comma)variablemakethreshold=0)
comma := ,

# Where the processor's code is wide, nothing is inlined and functions begin at any
# word: x86-64 has speed to spare, and a router sells little.
SHIP_LEAN := amd64 mipsle mipsle-legacy
LINK_amd64 := -funcalign=1
LINK_arm64 := -funcalign=4

# Pieces of the file lie as far apart as a page of memory may be large. Go takes 64 KiB
# where any kernel has such; 32-bit ARM always has pages of 4 KiB, and a router of MIPS
# has 4, at most 16.
LINK_armv5         := -R 0x1000
LINK_armv5-legacy  := -R 0x1000
LINK_armv6         := -R 0x1000
LINK_armv7         := -R 0x1000
LINK_mipsle        := -R 0x4000
LINK_mipsle-legacy := -R 0x4000

# No cgo, so that the libc of the terminal does not matter; no paths, times or
# ids, so that a signed binary can be compared with one built again. $* is the target.
SHIP_ENV   := CGO_ENABLED=0 GOOS=linux
SHIP_FLAGS  = -tags $(TERMINAL_TAGS) -trimpath -buildvcs=false \
  $(if $(filter $*,$(SHIP_LEAN)),'-gcflags=all=-l $(SHIP_SMALL)',$(SHIP_GCFLAGS)) \
  -ldflags '-s -w -buildid= $(LINK_$*) -X main.version=$(VERSION) -X main.built=$(BUILT)'

# The emulator that runs each of them here, with the oldest processor that may.
QEMU_armv5         := qemu-arm-static -cpu arm926
QEMU_armv5-legacy  := qemu-arm-static -cpu arm926
QEMU_armv6         := qemu-arm-static -cpu arm1176
QEMU_armv7         := qemu-arm-static -cpu cortex-a7
QEMU_arm64         := qemu-aarch64-static
QEMU_mipsle        := qemu-mipsel-static -cpu 24Kc
QEMU_mipsle-legacy := $(QEMU_mipsle)
SMOKE_TARGETS      ?= armv5 armv6 armv7 arm64 mipsle armv5-legacy mipsle-legacy
