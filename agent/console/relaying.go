package console

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"reversald/hal"
	"reversald/hal/relay"
)

// RelayReady is what the terminal says before it speaks in frames only; the laptop's program waits
// for it.
const RelayReady = "RELAY READY v1"

// relayPatience is how long nobody need answer before the console comes back: time to leave a
// terminal program and start another.
const relayPatience = 3 * time.Minute

// relay makes the cable the line to the host, until either end leaves. Then whoever is there has to
// log in again: the cable was out of our hands.
func (v *visit) relay(ctx context.Context, _ *term.Terminal, _ []string) error {
	if v.options.Detour == nil || len(v.options.Hosts) == 0 {
		return v.say("this terminal has no relay\n")
	}
	kind := "with TLS"
	if !v.options.Detour.Encrypted() {
		kind = "in the clear"
		err := v.say("No tls is configured: the laptop can read what it carries.\n")
		if err != nil {
			return err
		}
	}
	err := v.say("Leave this program without hanging up, and start on the laptop:\n"+
		"  reversald relay --port PORT --to %s\n"+
		"Allowed are: %s. +++ leads back from here.\n",
		v.options.Hosts[0], strings.Join(v.options.Hosts, ", "))
	if err == nil {
		err = v.screen.say(RelayReady + "\n")
	}
	if err != nil {
		return err
	}
	t := newTap(v.feed, v.screen.port)
	d := &detoured{hosts: v.options.Hosts}
	up := make(chan string, 1)
	line := relay.NewLine(t, relay.Options{
		Baud: v.options.Baud, Patience: relayPatience, Escape: true,
		Offered: func(addresses []string) error {
			agreed, err := d.agree(addresses)
			if err == nil {
				select {
				case up <- agreed:
				default:
				}
			}
			return err
		},
	})
	d.line = line
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { // apart from the line's own goroutine, which must not wait
		defer close(done)
		for {
			select {
			case agreed := <-up:
				v.options.Log.Warn("the host's line goes over the cable",
					slog.String("host", agreed), slog.String("who", v.who),
					slog.String("how", kind))
				v.note(ctx, "relay to "+agreed+" "+kind)
				v.options.Detour.Take(d, agreed)
			case <-ctx.Done():
				return
			}
		}
	}()
	err = line.Run(ctx)
	cancel()
	<-done
	v.options.Detour.Leave()
	t.giveBack()
	stats := line.Stats()
	v.options.Log.Info("the relay has ended", slog.String("why", err.Error()),
		slog.Int("frames", stats.Frames), slog.Int("bad", stats.Bad),
		slog.Int("resent", stats.Resent))
	return fmt.Errorf("%s: %w", v.tr("the relay has ended"), endError{err})
}

// endError keeps the port's own errors visible, and is otherwise an orderly log-out.
type endError struct{ error }

// Unwrap gives what errors.Is should find.
func (e endError) Unwrap() []error {
	return []error{e.error, errLogout}
}

// detoured dials through the relay.
type detoured struct {
	hosts []string
	line  *relay.Line
}

// agree finds the first offered address that this terminal allows.
func (d *detoured) agree(offered []string) (string, error) {
	for _, address := range offered {
		if slices.Contains(d.hosts, address) {
			return address, nil
		}
	}
	return "", fmt.Errorf("this terminal does not allow %s; it allows %s",
		strings.Join(offered, ", "), strings.Join(d.hosts, ", "))
}

// Dial implements hal.Dialer. The address is the agreed one.
func (d *detoured) Dial(ctx context.Context, address string) (hal.Link, error) {
	call, err := d.line.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return call, nil
}
