package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// disk is a recorder that is mounted: a file system that remembers everything.
type disk struct {
	p   *process
	dir string // where it is mounted
}

// mountable says why a recorder cannot be mounted here.
func (g *ground) mountable() error {
	switch _, err := os.Stat(g.program("recorder")); {
	case os.Geteuid() != 0:
		return fmt.Errorf("%w: mounting needs root", errSkipped)
	case err != nil:
		return fmt.Errorf("%w: no recorder: %w", errSkipped, err)
	}
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w: no /dev/fuse: %w", errSkipped, err)
	}
	return f.Close()
}

// mount mounts one, of which syncs take up to so many microseconds.
func (g *ground) mount(delayMicros int) (*disk, error) {
	dir, err := g.folder("disk-")
	if err != nil {
		return nil, err
	}
	d := &disk{dir: dir}
	if d.p, err = launch(nil, g.program("recorder"), dir); err != nil {
		return nil, err
	}
	if err := d.p.waitFor("ready"); err != nil {
		return nil, err
	}
	return d, d.order("delay %d", delayMicros)
}

// order gives the recorder an order: see its control.go.
func (d *disk) order(format string, args ...any) error {
	f, err := os.OpenFile(filepath.Join(d.dir, ".ctl"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, format, args...)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("the recorder refuses %q: %w", fmt.Sprintf(format, args...), err)
	}
	return nil
}

// unmount ends the recorder. Whoever still has a file open there gets errors from now on.
func (d *disk) unmount() {
	_ = syscall.Unmount(d.dir, syscall.MNT_DETACH)
	d.p.stop()
	_ = os.Remove(d.dir)
}
