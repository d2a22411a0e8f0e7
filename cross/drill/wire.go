package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// wire is the cable: two serial ports joined back to back at the speed of the line.
type wire struct {
	laptop, terminal string // paths
	masters          [2]*os.File
	slaves           [2]*os.File // held open, so that a program may leave and another come
	baud             int
}

// layWire lays a cable on which a part of the bytes is hit: 0.004 is 0.4 %.
func layWire(dir string, baud int, noise float64) (*wire, error) {
	w := &wire{
		baud: baud, laptop: filepath.Join(dir, "ttyUSB0"), terminal: filepath.Join(dir, "ttyS1"),
	}
	for i, name := range []string{w.laptop, w.terminal} {
		master, slave, err := pty.Open()
		if err != nil {
			return nil, err
		}
		w.masters[i], w.slaves[i] = master, slave
		if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
			return nil, err
		}
		if err := os.Symlink(slave.Name(), name); err != nil {
			return nil, err
		}
	}
	go carry(w.masters[0], w.masters[1], baud, noise)
	go carry(w.masters[1], w.masters[0], baud, noise)
	return w, nil
}

// carry moves bytes at the speed of the line: ten bits a byte.
func carry(from, to *os.File, baud int, noise float64) {
	rng := rand.New(rand.NewPCG(uint64(baud), uint64(from.Fd())))
	const tick = 2 * time.Millisecond
	chunk := make([]byte, max(1, int(time.Duration(baud)*tick/time.Second/10)))
	free := time.Now()
	for {
		n, err := from.Read(chunk)
		if err != nil {
			return
		}
		if now := time.Now(); free.Before(now) {
			free = now
		}
		free = free.Add(time.Duration(n) * 10 * time.Second / time.Duration(baud))
		time.Sleep(time.Until(free))
		for i := range chunk[:n] {
			if rng.Float64() < noise {
				chunk[i] = byte(rng.Uint32())
			}
		}
		if _, err := to.Write(chunk[:n]); err != nil {
			return
		}
	}
}

func (w *wire) close() {
	for i := range w.masters {
		_ = w.masters[i].Close()
		_ = w.slaves[i].Close()
	}
}
