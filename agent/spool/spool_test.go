package spool_test

import (
	"context"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent"
	"reversald/agent/slip"
	"reversald/agent/spool"
	"reversald/hal"
	"reversald/hal/haltest"
)

// desk is a shop's printer with its spool, in fake time.
type desk struct {
	t     *testing.T
	log   strings.Builder
	spool *spool.Spool

	mu      sync.Mutex // guards what follows
	printer *haltest.Printer
	away    bool
	opened  int
}

// is puts another printer on the desk, or takes it away.
func (d *desk) is(p *haltest.Printer, away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.printer, d.away = p, away
}

func story(t *testing.T, tell func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{t: t, printer: haltest.NewPrinter()}
		d.spool = spool.New(func(context.Context) (hal.Printer, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.away {
				return nil, fs.ErrNotExist
			}
			d.opened++
			return d.printer, nil
		}, func(s slip.Slip) []byte { return []byte(s.STAN) },
			slog.New(slog.NewTextHandler(&d.log, nil)))
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.spool.Run(ctx)
		}()
		tell(d)
		stop()
		<-done
	})
}

func (d *desk) prints(stan string) {
	d.spool.Take(slip.Slip{Event: slip.Failed, STAN: stan})
	synctest.Wait()
}

func (d *desk) passes(t time.Duration) {
	time.Sleep(t)
	synctest.Wait()
}

func (d *desk) has(want agent.Printing, slips ...string) {
	d.t.Helper()
	var got []string
	for _, s := range d.printer.Slips() {
		got = append(got, string(s))
	}
	if strings.Join(got, " ") != strings.Join(slips, " ") {
		d.t.Errorf("printed %v, want %v", got, slips)
	}
	if got := d.spool.Printing(); got != want {
		d.t.Errorf("%+v, want %+v", got, want)
	}
}

func (d *desk) logged(what string, times int) {
	d.t.Helper()
	if n := strings.Count(d.log.String(), what); n != times {
		d.t.Errorf("%q logged %d times, want %d: %s", what, n, times, d.log.String())
	}
}

// Rule: slips come out in order; a printer that is away is tried again, said to be away once, and
// prints what has waited when it is back.
func TestAPrinterThatIsAway(t *testing.T) {
	story(t, func(d *desk) {
		d.prints("1")
		d.has(agent.Printing{Printed: 1}, "1")
		d.printer.Unplug()
		d.is(d.printer, true)
		d.prints("2")
		d.prints("3")
		d.passes(2 * time.Minute)
		d.logged("printer in trouble", 1)
		d.has(agent.Printing{Printed: 1, Waiting: 1, Trouble: fs.ErrNotExist.Error()}, "1")
		d.is(haltest.NewPrinter(), false)
		d.passes(time.Minute)
		d.has(agent.Printing{Printed: 3}, "2", "3")
		d.logged("printer prints again", 1)
	})
}

// Rule: while there is no paper slips wait, up to as many as may and for as long as anybody wants
// them; what is lost is counted, and nobody ever waits.
func TestAPrinterOutOfPaper(t *testing.T) {
	story(t, func(d *desk) {
		d.printer.Has(hal.PaperOut)
		for range 20 { // one is being tried, 16 wait
			d.prints("x")
		}
		d.has(agent.Printing{Lost: 3, Waiting: 16, Trouble: "no paper"})
		d.passes(20 * time.Minute)
		d.has(agent.Printing{Lost: 20, Trouble: "no paper"})
		d.logged("printer in trouble", 1)
		d.logged("slip lost", 1)
		d.printer.Has(hal.PaperLow)
		d.prints("y")
		d.has(agent.Printing{Lost: 20, Printed: 1}, "y")
	})
}

// Rule: a printer that takes nothing is opened anew after a few tries.
func TestAPrinterThatTakesNothing(t *testing.T) {
	story(t, func(d *desk) {
		d.printer.Jams(true)
		d.prints("1")
		d.passes(30 * time.Second)
		if d.opened < 2 {
			t.Error("it was not opened anew")
		}
		d.logged("printer in trouble", 1)
		d.is(haltest.NewPrinter(), false)
		d.passes(5 * time.Minute)
		d.has(agent.Printing{Printed: 1}, "1")
	})
}

// Rule: a printer that does not say how its paper is prints all the same.
func TestAPrinterThatIsMute(t *testing.T) {
	story(t, func(d *desk) {
		d.printer.Mutes(true)
		d.prints("1")
		d.prints("2")
		d.has(agent.Printing{Printed: 2}, "1", "2")
	})
}

// Rule: what the printer had taken when it went away is counted as lost.
func TestSlipsThatWentWithThePrinter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &hoarder{Printer: haltest.NewPrinter()}
		s := spool.New(func(context.Context) (hal.Printer, error) { return p, nil },
			func(slip.Slip) []byte { return []byte("x") }, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		s.Take(slip.Slip{})
		synctest.Wait()
		stop()
		<-done
		if got := s.Printing(); got.Lost != 2 {
			t.Errorf("%+v", got)
		}
	})
}

type hoarder struct{ *haltest.Printer }

func (*hoarder) Unprinted() int { return 2 }

// Rule: what is no slip to the printer is lost at once, and holds up no other.
func TestWhatIsNoSlip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := haltest.NewPrinter()
		s := spool.New(func(context.Context) (hal.Printer, error) { return p, nil },
			func(one slip.Slip) []byte { return []byte(one.STAN) }, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancelCause(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		s.Take(slip.Slip{})
		s.Take(slip.Slip{STAN: "1"})
		synctest.Wait()
		if got := s.Printing(); got.Lost != 1 || got.Printed != 1 {
			t.Errorf("%+v", got)
		}
		stop(nil)
		<-done
	})
}
