package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// starts is how long a start takes from exec to listening, and the memory it has then.
type starts struct {
	warm  time.Duration
	files time.Duration // the journal's files are not in the page cache, the program is
	cold  time.Duration // neither is
	kib   int
}

// startTimes leaves ten payments open with a host that is silent, and measures restarts: with all
// files in the page cache, and with none of them there.
func startTimes(o options, p *pair, dir string) (starts, error) {
	var s starts
	if err := leaveOpen(o, p, dir); err != nil {
		return s, err
	}
	journal, err := filepath.Glob(filepath.Join(dir, "journal*"))
	if err != nil {
		return s, err
	}
	program := strings.Fields(o.reversald)[0]
	var took [3][]time.Duration
	for range 9 {
		for i, chilled := range [][]string{nil, journal, append([]string{program}, journal...)} {
			p.daemon.kill()
			if err := chill(o, chilled); err != nil {
				return s, err
			}
			one, err := p.restart(o, dir)
			if err != nil {
				return s, err
			}
			took[i] = append(took[i], one)
		}
	}
	s.kib, err = resident(p.daemon.cmd.Process.Pid)
	s.warm, s.files, s.cold = median(took[0]), median(took[1]), median(took[2])
	return s, err
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

// chill has the page cache let go of some files. With -drop-caches it lets go of everything, the
// names of files too, which needs root and slows the whole machine.
func chill(o options, files []string) error {
	if len(files) == 0 {
		return nil
	}
	unix.Sync() // what is not on the medium can not be let go of
	if o.dropCaches {
		return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0o200)
	}
	for _, name := range files {
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

// programAlone is how long the program takes to do nothing, when it is not in the page cache.
func programAlone(o options) (time.Duration, error) {
	argv := strings.Fields(o.reversald)
	var all []time.Duration
	for range 9 {
		if err := chill(o, argv[:1]); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := exec.Command(argv[0], append(argv[1:], "--version")...).Run(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	return median(all), nil
}
