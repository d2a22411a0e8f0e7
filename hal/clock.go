package hal

import (
	"context"
	"time"
)

// Clock is the terminal's idea of time, which is three ideas. The wall clock may be wrong, may
// stand at 1970 after a flat battery, and may jump; the time since boot only goes forward, also
// while the terminal sleeps, but starts again at every boot; the boot id tells two boots apart.
type Clock interface {
	// Wall is the date and time, as data: it carries no monotonic reading. Whoever wants to know
	// how long something took uses SinceBoot or package time.
	Wall() time.Time

	// SinceBoot is the time since the kernel started, sleep included (CLOCK_BOOTTIME). Two
	// values may be subtracted if their boot ids are the same, across processes too.
	SinceBoot() time.Duration

	// BootID is random for every boot and the same in every process of one boot.
	BootID() [16]byte

	// Trusted tells whether Wall can be believed, given a moment that is certainly in the past:
	// the later of the build time and the newest time on file. The zero floor is allowed. A clock
	// that somebody keeps in step with the world's is believed also where it contradicts the floor,
	// which may have been written down while the clock was wrong.
	Trusted(floor time.Time) bool
}

// ClockWatch is a Clock that tells when it has not simply gone on.
type ClockWatch interface {
	Clock
	// Jumps reports until ctx ends every time that the wall clock has been set, or that the
	// terminal has slept: package time stood still, and whoever waits by it has waited too long.
	// An error other than ctx's means that nobody watches.
	Jumps(ctx context.Context, report func()) error
}

// trustSpan is longer than any terminal lives: a clock further ahead than that holds rubbish.
// Our choice.
const trustSpan = 20 * 365 * 24 * time.Hour

// earliest is before the first release of this package, so no true clock shows less.
var earliest = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Believable tells whether wall can be the time, given a moment that is certainly in the past.
// Every Clock answers Trusted by it.
func Believable(wall, floor time.Time) bool {
	if floor.Before(earliest) {
		floor = earliest
	}
	return !wall.Before(floor) && wall.Before(floor.Add(trustSpan))
}

// System is the clock of the machine. Make one with [OpenSystem].
type System struct {
	boot [16]byte
}

// Wall implements Clock.
func (*System) Wall() time.Time { return time.Now().Round(0) }

// BootID implements Clock.
func (s *System) BootID() [16]byte { return s.boot }

// Trusted implements Clock.
func (s *System) Trusted(floor time.Time) bool {
	wall := s.Wall()
	return Believable(wall, floor) || Believable(wall, earliest) && synchronised()
}
