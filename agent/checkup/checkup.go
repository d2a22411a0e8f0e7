// Package checkup looks at what a daemon stands on: its files, its disk, its clock and the way to
// its host. It needs no daemon, and changes nothing.
//
// Think of the nurse before the doctor: temperature, weight, pulse. What the figures mean, and what
// to do, is said by whoever asked.
package checkup

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"reversald/agent"
	"reversald/hal"
	"reversald/store"
)

// File is one file of the configuration.
type File struct {
	Path    string
	Size    int64
	Mode    fs.FileMode
	Changed time.Time
	Err     error // why it can not be looked at; fs.ErrNotExist: it is not there
}

// Facts are what was found.
type Facts struct {
	Journal, Ring, Key, Socket File

	Dir          string // of the journal
	DirMode      fs.FileMode
	DirErr       error
	Writable     bool // by whoever asks
	Place        store.Place
	PlaceErr     error
	RingPlace    store.Place // of the ring, where it lies elsewhere
	RingElse     bool
	RingPlaceErr error

	Wall         time.Time
	Floor        time.Time // certainly in the past: the newest change of a file of ours
	ClockTrusted bool
}

// Look takes the figures of the files and the clock.
func Look(c agent.Config) Facts {
	f := Facts{
		Journal: fileAt(c.Journal), Ring: fileAt(orBeside(c.Ring, c.Journal, ".ring")),
		Key: fileAt(orBeside(c.Key, c.Journal, ".key")), Socket: fileAt(c.Socket),
		Dir: filepath.Dir(c.Journal),
	}
	info, err := os.Stat(f.Dir)
	if f.DirErr = err; err == nil {
		f.DirMode = info.Mode()
	}
	f.Writable = writable(f.Dir)
	f.Place, f.PlaceErr = store.LookAt(existing(f.Dir))
	if ringDir := filepath.Dir(f.Ring.Path); ringDir != f.Dir {
		f.RingElse = true
		f.RingPlace, f.RingPlaceErr = store.LookAt(existing(ringDir))
	}
	f.Wall = time.Now().Round(0)
	for _, file := range []File{f.Journal, f.Ring, f.Key} {
		// A file from the future says that the clock was wrong then, or is now.
		if file.Err == nil && file.Changed.After(f.Floor) {
			f.Floor = file.Changed
		}
	}
	const grain = time.Second // of a file system's times
	f.ClockTrusted = hal.Believable(f.Wall.Add(grain), f.Floor)
	return f
}

func orBeside(path, journal, suffix string) string {
	if path == "" {
		return journal + suffix
	}
	return path
}

func fileAt(path string) File {
	f := File{Path: path}
	info, err := os.Lstat(path)
	if f.Err = err; err == nil {
		f.Size, f.Mode, f.Changed = info.Size(), info.Mode(), info.ModTime()
	}
	return f
}

// existing is the nearest directory above that is there: where a new one would be made.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return dir
		}
		dir = above
	}
}

// Reach calls an address and hangs up: the network is there, whoever answers.
func Reach(ctx context.Context, address string, wait time.Duration) error {
	conn, err := (&net.Dialer{Timeout: wait}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}
