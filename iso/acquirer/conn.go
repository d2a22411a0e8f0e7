package acquirer

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"reversald/iso"
)

// conn is one terminal's connection. Messages are served in the order they come; a late answer
// waits on its own and may be overtaken.
type conn struct {
	bank   *Acquirer
	number int // from 1, for the log
	net    net.Conn
	ctx    context.Context //nolint:containedctx // ends with the connection, as its late answers do
	cancel context.CancelFunc

	writing sync.Mutex // one frame at a time, however it is cut
}

func newConn(ctx context.Context, a *Acquirer, nc net.Conn, number int) *conn {
	c := &conn{bank: a, number: number, net: nc}
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c
}

// close may be called by anyone, any number of times.
func (c *conn) close() {
	c.cancel()
	_ = c.net.Close()
}

func (c *conn) event(words string) {
	c.bank.log.event(c.bank.options.Clock.Now(), c.number, words)
}

// serve reads until the peer leaves, breaks the framing, or is cut off.
func (c *conn) serve(ctx context.Context) {
	defer c.close()
	c.event("connected")
	frames := c.bank.profile.NewFrameReader(c.net)
	for {
		body, err := frames.Next()
		if err != nil {
			c.farewell(err)
			return
		}
		if len(body) == 0 {
			c.bank.tally.change(func(s *Stats) { s.Keepalives++ })
			continue
		}
		if !c.message(ctx, body) {
			return
		}
	}
}

func (c *conn) farewell(err error) {
	var bad *iso.FrameError
	switch {
	case errors.As(err, &bad):
		c.bank.tally.change(func(s *Stats) { s.BadFrames++ })
		c.event("closed: " + bad.Error())
	case errors.Is(err, io.EOF):
		c.event("closed by the peer")
	case errors.Is(err, io.ErrUnexpectedEOF):
		c.event("closed by the peer inside a frame")
	case c.ctx.Err() != nil:
		c.event("closed")
	default:
		c.event("lost")
	}
}

// message serves one message; false means that the connection is over. The context is the bank's.
func (c *conn) message(ctx context.Context, body []byte) bool {
	a := c.bank
	now := a.options.Clock.Now()
	service, err := a.Receive(now, body)
	a.tally.received(service.Question.MTI)
	if service.Plan.Text != "" {
		service.Question.Note = join(service.Question.Note, "manners: "+service.Plan.Text)
	}
	a.log.message(now, c.number, "<-", service.Question)
	if err != nil {
		a.fail(err)
		return false
	}
	switch service.Plan.End {
	case EndUnseen, EndSilent:
		return true
	case EndCutBefore, EndCutBooked:
		c.event("cut")
		return false
	case EndAway:
		a.awayFor(ctx, service.Plan.AwayFor)
		return false
	case EndAnswer, EndCutMiddle, EndCutAfter, EndHalf:
	}
	if service.Answer == nil {
		return true
	}
	if service.Plan.Late > 0 {
		c.later(service)
		return true
	}
	return c.deliver(service)
}

// later delivers an answer when its time has come.
func (c *conn) later(service Service) {
	a := c.bank
	full := false
	a.tally.change(func(s *Stats) {
		if full = s.LateWaiting >= lateAnswersMax; !full {
			s.LateWaiting++
		}
	})
	if full {
		c.undelivered("too many late answers")
		return
	}
	clock := a.options.Clock
	due := clock.Now().Add(service.Plan.Late) // counted from here, whenever the goroutine begins
	started := a.start(func() {
		err := clock.Wait(c.ctx, due)
		a.tally.change(func(s *Stats) { s.LateWaiting-- })
		if err != nil {
			c.undelivered("the connection was gone before the late answer")
			return
		}
		if !c.deliver(service) {
			c.close()
		}
	})
	if !started {
		a.tally.change(func(s *Stats) { s.LateWaiting-- })
	}
}

func (c *conn) undelivered(why string) {
	c.bank.tally.change(func(s *Stats) { s.Undelivered++ })
	c.event("answer not delivered: " + why)
}

// deliver writes the answer as planned; false means that the connection is over.
func (c *conn) deliver(s Service) bool {
	a := c.bank
	frame, err := a.profile.AppendFrame(nil, s.Answer)
	if err != nil {
		c.undelivered(err.Error())
		return true
	}
	half := s.Plan.End == EndCutMiddle || s.Plan.End == EndHalf
	times := 1
	if s.Plan.Twice {
		times = 2
	}
	if half {
		frame, times = frame[:len(frame)/2], 1
	}
	for range times {
		if err := c.write(frame, s.Plan.Split); err != nil {
			c.undelivered("the peer is gone or does not read")
			return false
		}
		if half {
			s.Reply.Note = join("half of it", s.Reply.Note)
		} else {
			a.tally.answered(s.Reply.Code)
		}
		a.log.message(a.options.Clock.Now(), c.number, "->", s.Reply)
	}
	return s.Plan.End != EndCutMiddle && s.Plan.End != EndCutAfter
}

// write writes one frame, byte by byte when a pause is given.
func (c *conn) write(frame []byte, pause time.Duration) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	// The deadline is the socket's, so it is the machine's time whatever clock the bank lives in.
	if err := c.net.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if pause == 0 {
		_, err := c.net.Write(frame)
		return err
	}
	for i := range frame {
		if _, err := c.net.Write(frame[i : i+1]); err != nil {
			return err
		}
		clock := c.bank.options.Clock
		if err := clock.Wait(c.ctx, clock.Now().Add(pause)); err != nil {
			return err
		}
	}
	return nil
}
