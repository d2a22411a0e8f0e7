// Command machine boots a whole ARM computer under qemu, with our ARMv7 binary on it, sells
// through it, pulls its plug in the middle of a sale, boots it again with the same flash, and
// looks into the host's books for the reversal.
//
// The kernel is Linux, built from Debian's source with kernel.config; the journal lies on UBIFS
// on UBI on a NOR flash chip whose contents are a file that outlives the machine; the cable is a
// USB serial gadget. machine.sh gets all of it together. It imports nothing of reversald.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// options are what a run is given.
type options struct {
	kernel, busybox, reversald, acquirerd string
	rounds                                int
	seed                                  uint64
	keep, console                         bool
}

func main() {
	var o options
	flag.StringVar(&o.kernel, "kernel", "", "zImage of an ARMv7 Linux made with kernel.config")
	flag.StringVar(&o.busybox, "busybox", "", "a static busybox for ARM")
	flag.StringVar(&o.reversald, "reversald", "bin/armv7/reversald", "the daemon for ARM")
	flag.StringVar(&o.acquirerd, "acquirerd", "bin/acquirerd", "the host, for this machine")
	flag.IntVar(&o.rounds, "rounds", 3, "how often the plug is pulled")
	flag.Uint64Var(&o.seed, "seed", 1, "of the moments at which the plug is pulled")
	flag.BoolVar(&o.console, "console", false, "the daemon has a console: put it on a serial port")
	flag.BoolVar(&o.keep, "keep", false, "leave flash, books and sockets behind, and say where")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := play(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "machine:", err)
		os.Exit(1)
	}
}
