package link_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent/link"
	"reversald/hal"
	"reversald/hal/haltest"
)

// binary2 is a framing of two length bytes.
type binary2 struct{}

func (binary2) Reader(r io.Reader) func() ([]byte, error) {
	return func() ([]byte, error) {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, err
		}
		body := make([]byte, binary.BigEndian.Uint16(head[:]))
		_, err := io.ReadFull(r, body)
		return body, err
	}
}

func (binary2) AppendFrame(dst, body []byte) ([]byte, error) {
	if len(body) > 60000 {
		return dst, errors.New("too long")
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(body))), body...), nil
}

// bench is a supervisor and what it reported.
type bench struct {
	t    *testing.T
	s    *link.Supervisor
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	reports []link.Report
	at      []time.Time
}

func options(d hal.Dialer) link.Options {
	return link.Options{
		Dialer: d, Addresses: []string{"a:1", "b:2", "c:3"}, Framing: binary2{},
		DialTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		RedialMin: 100 * time.Millisecond, RedialMax: 10 * time.Second,
	}
}

func start(t *testing.T, o link.Options) *bench {
	t.Helper()
	b := &bench{t: t, done: make(chan struct{})}
	b.s = link.New(o, func(r link.Report) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.reports, b.at = append(b.reports, r), append(b.at, time.Now())
	})
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go func() {
		defer close(b.done)
		b.s.Run(ctx)
	}()
	return b
}

// ends stops the supervisor, which joins everything it started.
func (b *bench) ends() {
	b.t.Helper()
	b.stop()
	<-b.done
	if s := b.s.State(); s != link.Draining {
		b.t.Errorf("after the end the line is %s", s)
	}
}

// told takes all reports so far.
func (b *bench) told() []link.Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	told := b.reports
	b.reports, b.at = nil, nil
	return told
}

func (b *bench) names() string {
	names := ""
	for _, r := range b.told() {
		switch r := r.(type) {
		case link.LineUp:
			names += " up:" + r.Address
		case link.LineLost:
			names += " lost"
		case link.DialFailed:
			names += " failed:" + r.Address
		case link.Arrived:
			names += " arrived:" + string(r.Body)
		case link.NeverLeft:
			names += fmt.Sprintf(" neverleft:%d", r.Tag.ID)
		}
	}
	return names
}

func (b *bench) says(want string) {
	b.t.Helper()
	synctest.Wait()
	if got := b.names(); got != want {
		b.t.Errorf("reported%s, want%s", got, want)
	}
}

func accept(t *testing.T, d *haltest.Dialer) *haltest.Line {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	line, err := d.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return line
}

func frame(body string) []byte {
	wire, _ := binary2{}.AppendFrame(nil, []byte(body))
	return wire
}

func read(t *testing.T, r io.Reader, n int) string {
	t.Helper()
	p := make([]byte, n)
	if _, err := io.ReadFull(r, p); err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// Rule: several addresses are tried in turn; after a line that lasted, the first is preferred again.
func TestAddressesAreTriedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Refusals(4)...)
		b := start(t, options(d))
		line := accept(t, d)
		b.says(" failed:a:1 failed:b:2 failed:c:3 failed:a:1 up:b:2")
		time.Sleep(time.Minute)
		line.Cut()
		line = accept(t, d)
		b.says(" lost up:a:1")
		line.Cut() // at once: the next one's turn
		accept(t, d)
		b.says(" lost up:b:2")
		b.ends()
		b.says(" lost")
	})
}

// Rule: redial for ever, with waits that double, start at the shortest and never exceed the longest.
func TestRedialForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Refusals(100000)...)
		o := options(d)
		b := start(t, o)
		const days = 3
		time.Sleep(days * 24 * time.Hour)
		synctest.Wait()
		b.mu.Lock()
		reports, at := b.reports, b.at
		b.mu.Unlock()
		if len(reports) < days*24*360 {
			t.Errorf("%d dials in %d days", len(reports), days)
		}
		for i, r := range reports {
			f, ok := r.(link.DialFailed)
			if !ok || !errors.Is(f.Err, syscall.ECONNREFUSED) {
				t.Fatalf("report %d is %#v", i, r)
			}
			least, most := o.RedialMin, o.RedialMin*12/10
			for range i {
				least, most = min(2*least, o.RedialMax), min(2*most, o.RedialMax)
			}
			if least = least * 8 / 10; f.Wait < least || f.Wait > min(most*12/10, o.RedialMax) {
				t.Errorf("wait %d is %s", i, f.Wait)
			}
			if i > 0 && at[i].Sub(at[i-1]) != reports[i-1].(link.DialFailed).Wait {
				t.Errorf("dial %d came %s after the one before, said %s", i, at[i].Sub(at[i-1]),
					reports[i-1].(link.DialFailed).Wait)
			}
			if i > 40 {
				break
			}
		}
		b.ends()
	})
}

// Rule: an address that does not answer is given up after DialTimeout.
func TestAnAddressThatDoesNotAnswerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Faults{Hang: true})
		begun := time.Now()
		b := start(t, options(d))
		accept(t, d)
		if took := time.Since(begun); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("the second address was tried after %s", took)
		}
		b.says(" failed:a:1 up:b:2")
		b.ends()
	})
}

// Rule: a stop interrupts a dial and a wait.
func TestAStopWaitsForNothing(t *testing.T) {
	for name, fault := range map[string]haltest.Faults{
		"dialling": {Hang: true}, "waiting": {Refuse: syscall.ECONNREFUSED},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := haltest.NewDialer(fault)
				o := options(d)
				o.RedialMin, o.RedialMax = time.Hour, time.Hour
				b := start(t, o)
				synctest.Wait()
				begun := time.Now()
				b.ends()
				if took := time.Since(begun); took > 0 {
					t.Errorf("the stop took %s", took)
				}
			})
		})
	}
}

// Rule: a kick redials now, because a customer waits.
func TestAKickRedialsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Refusals(1)...)
		o := options(d)
		o.RedialMin, o.RedialMax = time.Hour, time.Hour
		b := start(t, o)
		synctest.Wait()
		time.Sleep(time.Second)
		begun := time.Now()
		b.s.Kick()
		b.s.Kick() // a second one costs nothing
		accept(t, d)
		if took := time.Since(begun); took > 0 {
			t.Errorf("the redial came after %s", took)
		}
		b.ends()
	})
}

// Rule: a host that accepts and hangs up is not redialled in a tight loop.
func TestAHostThatHangsUpAtOnceIsNotRedialledInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer()
		b := start(t, options(d))
		go func() {
			for {
				line, err := d.Accept(context.Background())
				if err != nil {
					return
				}
				if line.Number > 30 {
					return
				}
				_ = line.Host.Close()
			}
		}()
		begun := time.Now()
		for d.Dials() < 30 {
			time.Sleep(time.Second)
		}
		if took := time.Since(begun); took < 2*time.Minute {
			t.Errorf("30 dials in %s", took)
		}
		time.Sleep(time.Minute)
		b.ends()
	})
}

// Rule: frames go out and come in whole and in order; a keepalive is not reported.
func TestFramesGoBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Faults{Pieces: 1})
		b := start(t, options(d))
		line := accept(t, d)
		if s := b.s.State(); s != link.Up {
			t.Errorf("the line is %s", s)
		}
		b.says(" up:a:1")
		for _, body := range []string{"one", "two"} {
			if err := b.s.Send(link.Tag{ID: 1}, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := read(t, line.Host, 10), string(frame("one"))+string(frame("two")); got != want {
			t.Errorf("the host got %q", got)
		}
		for _, body := range []string{"hello", "", "again"} {
			if _, err := line.Host.Write(frame(body)); err != nil {
				t.Fatal(err)
			}
		}
		b.says(" arrived:hello arrived:again")
		b.ends()
	})
}

// Rule: an error of Send proves that no byte left: no line yet, a line that is gone, a frame that
// can not be made.
func TestSendWithoutALineProvablySendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Refusals(1)...)
		b := start(t, options(d))
		synctest.Wait()
		if err := b.s.Send(link.Tag{ID: 1}, []byte("x")); !errors.Is(err, link.ErrDown) {
			t.Errorf("before the line: %v", err)
		}
		line := accept(t, d)
		if err := b.s.Send(link.Tag{ID: 2}, make([]byte, 60001)); err == nil {
			t.Error("a frame that can not be made was sent")
		}
		line.Reset()
		if err := b.s.Send(link.Tag{ID: 3}, []byte("x")); err == nil {
			t.Error("a frame went over a line that is gone")
		}
		if toHost, _ := line.Written(); toHost != 0 {
			t.Errorf("%d bytes were written", toHost)
		}
		b.ends()
		if err := b.s.Send(link.Tag{ID: 4}, []byte("x")); !errors.Is(err, link.ErrDown) {
			t.Errorf("after the end: %v", err)
		}
		b.says(" failed:a:1 up:b:2 lost") // no NeverLeft for what Send has refused
	})
}

// Rule: on a congested line frames wait, up to a limit; beyond it nothing of a frame leaves. When
// the line breaks, what never left is reported before the line is: the one that was begun is not.
func TestACongestedLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Faults{Buffer: 8})
		b := start(t, options(d))
		line := accept(t, d)
		id, refused := uint64(0), 0
		for range 100 {
			id++
			switch err := b.s.Send(link.Tag{ID: id}, []byte("payload")); {
			case errors.Is(err, link.ErrBusy):
				refused++
			case err != nil:
				t.Fatal(err)
			}
		}
		if refused != 36 {
			t.Errorf("%d of 100 were refused", refused)
		}
		b.says(" up:a:1")
		// Four whole frames and half of the fifth get through, then the line breaks.
		got := read(t, line.Host, 40)
		if got != string(bytes.Repeat(frame("payload"), 4))+string(frame("payload")[:4]) {
			t.Errorf("the host got %q", got)
		}
		line.Cut()
		synctest.Wait()
		reports := b.told()
		if _, ok := reports[len(reports)-1].(link.LineLost); !ok {
			t.Errorf("the last report is %#v", reports[len(reports)-1])
		}
		var never []uint64
		for _, r := range reports[:len(reports)-1] {
			if n, ok := r.(link.NeverLeft); ok {
				never = append(never, n.Tag.ID)
			} else {
				t.Errorf("before the end of the line: %#v", r)
			}
		}
		// 64 waited, of which the buffer took some; none of those may be called unsent.
		whole, _ := line.Written()
		begun := (whole + len(frame("payload")) - 1) / len(frame("payload"))
		if len(never) != 64-begun || never[0] != uint64(begun+1) {
			t.Errorf("%d never left, from %d on; %d were begun", len(never), never[0], begun)
		}
		b.ends()
	})
}

// Rule: a line that takes no bytes for WriteTimeout is lost.
func TestALineThatTakesNothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer(haltest.Faults{Buffer: 4})
		b := start(t, options(d))
		accept(t, d)
		if err := b.s.Send(link.Tag{ID: 1}, []byte("payload")); err != nil {
			t.Fatal(err)
		}
		if err := b.s.Send(link.Tag{ID: 2}, []byte("payload")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Second - time.Millisecond)
		b.says(" up:a:1")
		time.Sleep(time.Millisecond)
		b.says(" neverleft:2 lost")
		accept(t, d)
		b.ends()
	})
}

// Rule: whatever is sent while lines come and go is either refused, or left, or may have left, or is
// reported as never left before the loss; never two of these.
func TestEveryFrameHasOneFate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := haltest.NewDialer()
		for n := range 60 {
			d.Add(haltest.Faults{CutToHost: haltest.After(n), CutUnseen: n%3 == 0, Buffer: 16})
		}
		o := options(d)
		o.RedialMin, o.RedialMax = 10*time.Millisecond, 50*time.Millisecond
		b := start(t, o)
		var mu sync.Mutex
		accepted := map[uint64]bool{}
		var senders sync.WaitGroup
		for s := range uint64(4) {
			senders.Go(func() {
				for n := range uint64(500) {
					id := s*1000 + n + 1
					if err := b.s.Send(link.Tag{ID: id}, fmt.Appendf(nil, "%05d", id)); err == nil {
						mu.Lock()
						accepted[id] = true
						mu.Unlock()
					}
					time.Sleep(100*time.Millisecond + time.Duration(s))
				}
			})
		}
		arrived := map[uint64]bool{}
		hosts := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			defer close(hosts)
			for {
				line, err := d.Accept(ctx)
				if err != nil {
					return
				}
				next := binary2{}.Reader(line.Host)
				for {
					body, err := next()
					if err != nil {
						break
					}
					id, err := strconv.ParseUint(string(body), 10, 64)
					if err != nil {
						t.Error(err)
					}
					if arrived[id] {
						t.Errorf("frame %d arrived twice", id)
					}
					arrived[id] = true
				}
				_ = line.Host.Close()
			}
		}()
		senders.Wait()
		time.Sleep(time.Minute)
		cancel()
		b.ends()
		<-hosts
		if len(arrived) < 100 {
			t.Errorf("only %d arrived", len(arrived))
		}
		for id := range arrived {
			if !accepted[id] {
				t.Errorf("frame %d arrived, though Send said that nothing left", id)
			}
		}
		for _, r := range b.told() {
			if n, ok := r.(link.NeverLeft); ok {
				if arrived[n.Tag.ID] || !accepted[n.Tag.ID] {
					t.Errorf("frame %d never left, arrived %v, was accepted %v", n.Tag.ID,
						arrived[n.Tag.ID], accepted[n.Tag.ID])
				}
			}
		}
	})
}
