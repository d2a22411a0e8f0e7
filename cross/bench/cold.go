package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// starts is how long a start takes from exec to listening, and the memory it has then.
type starts struct {
	warm, cold time.Duration
	kib        int
}

// startTimes leaves ten payments open with a host that is silent, and measures restarts: with all
// files in the page cache, and with none of them there.
func startTimes(o options, p *pair, dir string) (starts, error) {
	var s starts
	if err := leaveOpen(o, p, dir); err != nil {
		return s, err
	}
	var warm, cold []time.Duration
	for range 9 {
		took, err := p.restart(o, dir)
		if err != nil {
			return s, err
		}
		warm = append(warm, took)
	}
	for range 9 {
		p.daemon.kill()
		if err := chill(o, dir); err != nil {
			return s, err
		}
		took, err := p.restart(o, dir)
		if err != nil {
			return s, err
		}
		cold = append(cold, took)
	}
	kib, err := resident(p.daemon.cmd.Process.Pid)
	return starts{warm: median(warm), cold: median(cold), kib: kib}, err
}

// restart kills the daemon, if it lives, and starts it again.
func (p *pair) restart(o options, dir string) (time.Duration, error) {
	p.daemon.kill()
	daemon, err := startDaemon(o, dir, p.host.address)
	if err != nil {
		return 0, err
	}
	p.daemon = daemon
	return daemon.took, nil
}

// chill has the page cache let go of the daemon's files and of its program. With -drop-caches it
// lets go of everything, the names of files too, which needs root and slows the whole machine.
func chill(o options, dir string) error {
	unix.Sync() // what is not on the medium can not be let go of
	if o.dropCaches {
		return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0o200)
	}
	files, err := filepath.Glob(filepath.Join(dir, "journal*"))
	if err != nil {
		return err
	}
	for _, name := range append(files, strings.Fields(o.reversald)[0]) {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return &os.PathError{Op: "fadvise", Path: name, Err: err}
		}
	}
	return nil
}
