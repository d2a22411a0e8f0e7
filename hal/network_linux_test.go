package hal_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"reversald/hal"
)

// inNamespace runs f on a thread with a network of its own, where nothing is up yet. What f returns
// is why there is nothing to test.
func inNamespace(t *testing.T, f func() (skip string)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a network of our own needs root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no ip command (iproute2) here")
	}
	skip := make(chan string, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			skip <- "no network of our own: " + err.Error()
			return
		}
		skip <- f()
	}()
	if why := <-skip; why != "" {
		t.Skip(why)
	}
}

// ip runs the command on this thread's network.
func ip(t *testing.T, args string) bool {
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		t.Logf("ip %s: %v: %s", args, err, out)
	}
	return err == nil
}

// Rule: a carrier or an address that goes or comes is told at once, with the addresses it concerns;
// what was there before is not.
func TestNetlinkTellsWhatChanges(t *testing.T) {
	inNamespace(t, func() string {
		if !ip(t, "link add pos0 type veth peer name far0") || !ip(t, "addr add 10.9.8.7/24 dev pos0") ||
			!ip(t, "link set far0 up") || !ip(t, "link set pos0 up") {
			return "this kernel has no veth"
		}
		ctx, cancel := context.WithCancel(context.Background())
		changes := make(chan hal.NetworkChange, 64)
		ended := make(chan error, 1)
		watch, err := hal.NetlinkHere(func(c hal.NetworkChange) { changes <- c })
		if err != nil {
			t.Error(err)
			cancel()
			return ""
		}
		go func() { ended <- watch(ctx) }()
		for heard := false; !heard; { // until then the state at the beginning is being read
			if !ip(t, "addr add 10.9.8.6/32 dev pos0") || !ip(t, "addr del 10.9.8.6/32 dev pos0") {
				t.Error("no other address")
				break
			}
			select {
			case <-changes:
				heard = true
			case <-time.After(10 * time.Millisecond):
			}
		}
		want := netip.MustParseAddr("10.9.8.7")
		for _, step := range []struct {
			do         string
			why        string
			gone, back bool
		}{
			{"link set far0 down", "carrier lost", true, false},
			{"link set far0 up", "carrier back", false, true},
			{"addr del 10.9.8.7/24 dev pos0", "address gone", true, false},
			{"addr add 10.9.8.7/24 dev pos0", "address here", false, true},
			{"link set pos0 down", "carrier lost", true, false},
			{"link set pos0 up", "carrier back", false, true},
			{"link del pos0", "gone", true, false},
		} {
			if !ip(t, step.do) {
				t.Errorf("%s failed", step.do)
				break
			}
			if !awaits(changes, func(c hal.NetworkChange) bool {
				return strings.Contains(c.Why, step.why) || step.why == "gone" && c.Loses("10.9.8.7:1")
			}, want, step.gone, step.back) {
				t.Errorf("after %q nobody says %q", step.do, step.why)
			}
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return ""
	})
}

// awaits waits for a change that concerns an address.
func awaits(changes <-chan hal.NetworkChange, is func(hal.NetworkChange) bool, a netip.Addr, gone, back bool) bool {
	limit := time.After(patience)
	for {
		select {
		case c := <-changes:
			if is(c) && slices.Contains(c.Gone, a) == gone && slices.Contains(c.Back, a) == back {
				return true
			}
		case <-limit:
			return false
		}
	}
}
