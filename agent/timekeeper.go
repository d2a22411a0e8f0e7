package agent

import (
	"log/slog"
	"sync"
	"time"

	"reversald/hal"
)

// clockSlack is how far the clock may be behind the newest entry and still be believed: somebody
// who corrects a clock moves it by seconds. Our choice.
const clockSlack = 5 * time.Minute

// Timekeeper knows how late it certainly is: later than the build, and than the newest entry that
// was written by a clock that could be believed. It is for everybody: the line's dialler asks it
// too, because certificates are judged by it.
type Timekeeper struct {
	clock hal.Clock

	mu    sync.Mutex // asked by dialler and readers, told by Run
	floor time.Time
	since time.Duration // since boot, when floor was learned
}

// NewTimekeeper makes one for a program that was built at a time; zero: nobody knows.
func NewTimekeeper(clock hal.Clock, built time.Time) *Timekeeper {
	return &Timekeeper{clock: clock, floor: built, since: clock.SinceBoot()}
}

// Trusted tells whether the wall clock can be believed.
func (k *Timekeeper) Trusted() bool {
	k.mu.Lock()
	floor := k.floor
	k.mu.Unlock()
	if !floor.IsZero() {
		floor = floor.Add(-clockSlack)
	}
	return k.clock.Trusted(floor)
}

// Now is the wall clock's time, or, where that can not be believed, the earliest that it can be.
func (k *Timekeeper) Now() time.Time {
	if k.Trusted() {
		return k.clock.Wall()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.floor.Add(k.clock.SinceBoot() - k.since)
}

// wrote notes that an entry is written now, and tells whether its time can be believed.
func (k *Timekeeper) wrote() bool {
	if !k.Trusted() {
		return false
	}
	k.saw(k.clock.Wall())
	return true
}

// saw notes a time that has certainly been. It may be before the floor, when the clock that wrote
// the floor has been set right since.
func (k *Timekeeper) saw(at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.floor, k.since = at, k.clock.SinceBoot()
}

// raise notes a time on file, if it is later than what is known.
func (k *Timekeeper) raise(at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at.After(k.floor) && hal.Believable(at, k.floor) {
		k.floor, k.since = at, k.clock.SinceBoot()
	}
}

// untrusted marks an entry whose time is not to be believed.
const untrusted = "untrusted"

// clockMark is the mark of an entry that is written now.
func (a *Agent) clockMark() string {
	if a.times.wrote() {
		return ""
	}
	return untrusted
}

// timesMax is how many entries are looked at for the newest time on file.
const timesMax = 64

// recallTime finds the newest time on file that can be believed.
func (a *Agent) recallTime() error {
	entries, err := a.newest(timesMax)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, data, err := record(e); err == nil && data.Clock == "" {
			a.times.raise(e.Wall)
		}
	}
	if !a.times.Trusted() {
		a.log.Warn("the clock is not to be believed", slog.Time("clock", a.clock.Wall()),
			slog.Time("at_least", a.times.Now()))
	}
	return nil
}
