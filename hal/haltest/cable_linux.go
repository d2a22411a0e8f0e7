package haltest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// CableOptions say what kind of cable lies between two serial ports.
type CableOptions struct {
	Baud  int     // how fast bytes go through, in either direction; 0: as fast as they can
	Noise float64 // the part of the bytes that arrive as another: 0.004 is 0.4 %
	Seed  uint64  // of the noise
}

// Cable is two serial ports and what lies between them: slow, noisy, and cut when a test says so.
// A and B are paths for hal.Serial or any terminal program. They stay the same when the cable is
// pulled out and put back, as the names in /dev/serial/by-id do.
type Cable struct {
	A, B string

	tb      testing.TB
	options CableOptions

	mu    sync.Mutex
	rng   *rand.Rand
	ends  [2]*os.File // masters; nil while unplugged
	stop  chan struct{}
	group sync.WaitGroup
	held  bool
	noise float64
	count [2]int // bytes that went to A and to B
}

// NewCable makes a cable, plugged in. The test is skipped where there are no ptys.
func NewCable(tb testing.TB, o CableOptions) *Cable {
	tb.Helper()
	dir := tb.TempDir()
	c := &Cable{
		A: filepath.Join(dir, "ttyA"), B: filepath.Join(dir, "ttyB"), tb: tb, options: o,
		rng: rand.New(rand.NewPCG(o.Seed, 1)), noise: o.Noise,
	}
	c.Plug()
	tb.Cleanup(c.Unplug)
	return c
}

// Plug puts the cable in.
func (c *Cable) Plug() {
	c.tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends[0] != nil {
		return
	}
	c.stop = make(chan struct{})
	for i, name := range []string{c.A, c.B} {
		master, slave := plainPty(c.tb)
		c.ends[i] = master
		next := name + ".new"
		if err := os.Symlink(slave, next); err != nil {
			c.tb.Fatal(err)
		}
		if err := os.Rename(next, name); err != nil {
			c.tb.Fatal(err)
		}
	}
	c.group.Add(2)
	go c.carry(c.ends[0], c.ends[1], 1, c.stop)
	go c.carry(c.ends[1], c.ends[0], 0, c.stop)
}

// Unplug pulls the cable out: both ports hang up, and what was under way is lost.
func (c *Cable) Unplug() {
	c.mu.Lock()
	if c.ends[0] == nil {
		c.mu.Unlock()
		return
	}
	close(c.stop)
	for i := range c.ends {
		_ = c.ends[i].Close()
		c.ends[i] = nil
	}
	c.mu.Unlock()
	c.group.Wait()
}

// Hold stops (true) or starts again what goes from B to A: nobody reads there.
func (c *Cable) Hold(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = on
}

// SetNoise changes what part of the bytes is hit.
func (c *Cable) SetNoise(part float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noise = part
}

// Inject puts bytes on the way to A, as a broken cable or a BREAK (zeroes) would.
func (c *Cable) Inject(b []byte) {
	c.mu.Lock()
	end := c.ends[0]
	c.mu.Unlock()
	if end != nil {
		_, _ = end.Write(b)
	}
}

// Carried is how many bytes have gone to A and to B.
func (c *Cable) Carried() (toA, toB int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[0], c.count[1]
}

// carryTick is how often bytes are moved: a kernel's timer does no better.
const carryTick = 2 * time.Millisecond

// carry moves bytes at the speed of the line until an end is closed.
func (c *Cable) carry(from, to *os.File, toward int, stop <-chan struct{}) {
	defer c.group.Done()
	const bitsPerByte = 10
	chunk := make([]byte, 1024)
	free := time.Now()
	for {
		_ = from.SetReadDeadline(time.Time{})
		size := len(chunk)
		if c.options.Baud > 0 {
			size = max(1, int(time.Duration(c.options.Baud)*carryTick/time.Second/bitsPerByte))
		}
		if !c.waitHeld(toward, stop) {
			return
		}
		n, err := from.Read(chunk[:size])
		if err != nil {
			return
		}
		if c.options.Baud > 0 {
			took := time.Duration(n) * bitsPerByte * time.Second / time.Duration(c.options.Baud)
			if now := time.Now(); free.Before(now) {
				free = now
			}
			free = free.Add(took)
			if !sleepOr(time.Until(free), stop) {
				return
			}
		}
		c.spoil(chunk[:n], toward)
		if _, err := to.Write(chunk[:n]); err != nil {
			return
		}
	}
}

func (c *Cable) spoil(b []byte, toward int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[toward] += len(b)
	for i := range b {
		if c.rng.Float64() < c.noise {
			b[i] = byte(c.rng.Uint32())
		}
	}
}

// waitHeld waits while nobody reads at A; false: the cable was pulled.
func (c *Cable) waitHeld(toward int, stop <-chan struct{}) bool {
	for toward == 0 {
		c.mu.Lock()
		held := c.held
		c.mu.Unlock()
		if !held {
			break
		}
		if !sleepOr(carryTick, stop) {
			return false
		}
	}
	return true
}

func sleepOr(d time.Duration, stop <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}

// plainPty is a pty that passes bytes on as they are, whoever opens it.
func plainPty(tb testing.TB) (master *os.File, slave string) {
	tb.Helper()
	master, slave = Pty(tb)
	s, err := os.OpenFile(slave, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	state, err := unix.IoctlGetTermios(int(s.Fd()), unix.TCGETS)
	if err != nil {
		tb.Fatal(err)
	}
	state.Iflag, state.Oflag, state.Lflag = 0, 0, 0
	state.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL
	if err := unix.IoctlSetTermios(int(s.Fd()), unix.TCSETS, state); err != nil {
		tb.Fatal(err)
	}
	return master, slave
}
