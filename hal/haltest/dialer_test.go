package haltest_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"reversald/hal/haltest"
)

func TestDialerFollowsItsScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		d := haltest.NewDialer(haltest.Refusals(2)...)
		d.Add(haltest.Faults{DialDelay: time.Minute}, haltest.Faults{Hang: true})
		for range 2 {
			if l, err := d.Dial(ctx, "host:1"); l != nil || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("Dial = %v, %v, want a refusal", l, err)
			}
		}
		start := time.Now()
		link, err := d.Dial(ctx, "host:1")
		if err != nil || time.Since(start) != time.Minute {
			t.Fatalf("Dial after %v: %v", time.Since(start), err)
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := d.Dial(short, "host:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial into nothing: %v, want the context's end", err)
		}
		if _, err := d.Dial(short, "host:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial with an ended context: %v", err)
		}
		if _, err := d.Dial(ctx, "host:2"); err != nil { // the script is at its end
			t.Error(err)
		}
		line, err := d.Accept(ctx)
		if err != nil || line.Terminal != link || line.Number != 3 || line.Address != "host:1" {
			t.Fatalf("Accept = %+v, %v, want the line of dial 3", line, err)
		}
		if got := line.Terminal.Remote(); got != "host:1" {
			t.Errorf("Remote() = %s", got)
		}
		if line.Host.Remote() != line.Terminal.Local() {
			t.Errorf("the ends disagree: %s, %s", line.Host.Remote(), line.Terminal.Local())
		}
		if line, err = d.Accept(ctx); err != nil || line.Number != 6 {
			t.Errorf("Accept = %+v, %v, want the line of dial 6", line, err)
		}
		if d.Dials() != 6 {
			t.Errorf("Dials() = %d, want 6", d.Dials())
		}
	})
}

func TestDialerAcceptWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Faults{}, haltest.Faults{DialDelay: time.Hour})
		time.AfterFunc(time.Second, func() { d.Dial(context.Background(), "host:1") })
		if line, err := d.Accept(context.Background()); err != nil || line.Number != 1 {
			t.Errorf("Accept = %+v, %v", line, err)
		}
		short, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := d.Dial(short, "host:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("slow Dial: %v, want the context's end", err)
		}
		if _, err := d.Accept(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Accept with nobody: %v, want the context's end", err)
		}
	})
}
