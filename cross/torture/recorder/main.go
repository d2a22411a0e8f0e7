//go:build linux && (amd64 || arm64)

// Command recorder is a file system that remembers everything that was done to it.
//
// Think of a notary at the disk's door: every write, truncation, rename and sync is written down in
// the order in which the kernel hands it over, and passed on. From that log every state can be made
// that a power cut could have left. Asked to, the notary also cuts the power, fails a sync, or says
// that the disk is full.
//
//	recorder DIR
//
// mounts on DIR (which needs /dev/fuse and root), prints "recorder: ready", and runs until SIGTERM
// or until it is unmounted. The file system is one flat folder in memory. Two files in it are not
// files: what is written to .mark goes into the log, and .ctl takes orders, see control.go.
//
// It must be a process of its own, and never the one that keeps a journal on it: a page fault of a
// mapped file, in the middle of a garbage collection, waits for ever for the process it stops.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "recorder:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("want the folder to mount on")
	}
	var at0 time.Duration // the kernel must ask again every time: a cut changes what is there
	server, err := fs.Mount(args[0], &root{d: newDisk()}, &fs.Options{
		EntryTimeout: &at0, AttrTimeout: &at0, NegativeTimeout: &at0,
		MountOptions: fuse.MountOptions{
			DirectMount: true, FsName: "recorder", DisableXAttrs: true, MaxWrite: 1 << 20,
		},
	})
	if err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	if _, err := fmt.Fprintln(out, "recorder: ready"); err != nil {
		return errors.Join(err, server.Unmount())
	}
	gone := make(chan struct{})
	go func() {
		server.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	if err := server.Unmount(); err != nil {
		// Somebody still has a file open: the name goes now, the rest when they end.
		return syscall.Unmount(args[0], syscall.MNT_DETACH)
	}
	return nil
}
