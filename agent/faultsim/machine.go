package faultsim

import (
	"errors"
	"fmt"
	"time"
)

// Depth says what stands on the counter.
type Depth uint8

// The depths.
const (
	// Core is the product's pure core with a driver of the simulator's.
	Core Depth = iota + 1
	// Real is the product's agent and store.
	Real
	// Plain is a client without a journal.
	Plain
	// NextSale is a terminal that reverses before its next sale, three times, and then deletes.
	NextSale
)

// String names the depth on the command line.
func (d Depth) String() string {
	switch d {
	case Core:
		return "core"
	case Real:
		return "real"
	case Plain:
		return "plain"
	case NextSale:
		return "next-sale"
	}
	return fmt.Sprintf("depth %d", uint8(d))
}

// ParseDepth reads what String wrote.
func ParseDepth(name string) (Depth, error) {
	for d := Core; d <= NextSale; d++ {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("no such depth: %q; one of core, real, plain, next-sale", name)
}

// Times that every terminal keeps to.
const (
	hostTimeout    = 30 * time.Second
	confirmTimeout = time.Minute
	entryWait      = 10 * time.Second
	linger         = 5 * time.Millisecond
)

// machine is the terminal: what stands between the tills and the line. All its methods are called
// with the power on, but for crash, which is what is left when it is gone.
type machine interface {
	// start begins a life with whatever the disk holds.
	start() error
	// crash ends one; nothing of it may act any more.
	crash(d death)
	close()

	// ask brings a till's question: a sale, a settlement, or its own reversal.
	ask(till uint8, m *Message)
	// gone says that a till's connection has ended.
	gone(till uint8)
	// told says what became of an answer that had to wait.
	told(ticket uint64, delivered bool)
	// stalled is the newest span in which the terminal was busy and took nothing in.
	stalled() (from, to instant)
	// confirm says that a sale whose app confirms is finished.
	confirm(sale uint32)
	// look is what an app that confirms finds when it asks how a sale stands.
	look(sale uint32) standing

	lineUp()
	lineLost()
	// never says that provably no byte of m left.
	never(m *Message)
	arrived(m *Message)
	tick()
	// wake is when it wants a tick; false: it waits for nothing.
	wake() (instant, bool)
	// replay and resolve are a person's orders about a stuck sale.
	replay(sale uint32)
	resolve(sale uint32)
	// open lists what is not closed, as anybody may see it.
	open() []opened
	// suffers is what happens to its clock, its disk and its bank's keys.
	suffers(f Fault)
}

// opened is one line of the list of what is open.
type opened struct {
	sale  uint32
	stuck bool
}

// standing is what an app hears that asks how a sale stands.
type standing uint8

const (
	notDone standing = iota
	approvedOnly
	confirmed
)

// Why a frame was not taken: provably no byte of it left.
var (
	errDown = errors.New("line is down")
	errBusy = errors.New("line is congested")
)

// newMachine puts the terminal of a depth on the counter.
func newMachine(w *world) (machine, error) {
	switch w.o.Depth {
	case Core:
		w.macs = true
		return newCore(w), nil
	case Real:
		return newReal(w)
	case Plain:
		return newPlain(w, false), nil
	case NextSale:
		return newPlain(w, true), nil
	}
	return nil, fmt.Errorf("no such depth: %d", w.o.Depth)
}
