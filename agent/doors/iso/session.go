package iso

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"reversald/agent"
	"reversald/agent/link"
	"reversald/hal"
	protocol "reversald/iso"
)

// session is one connected app.
type session struct {
	door    *Door
	conn    io.Closer
	profile *protocol.Profile // as its frames are framed
	writer  *link.Writer
	name    string
	hung    sync.Once

	sentAway bool // another has its place; guarded by the door's mu
}

// serve is a session over a connection.
func (d *Door) serve(ctx context.Context, s *session, conn net.Conn) {
	line, err := hal.Accepted(conn)
	if err != nil {
		_ = conn.Close()
		return
	}
	d.run(ctx, s, line, func() error { return s.read(conn) })
}

// run has an app's frames read until it is gone, and then says so: the fates of all answers first.
func (d *Door) run(ctx context.Context, s *session, line hal.Link, read func() error) {
	s.writer = link.NewWriter(line, d.limits.WriteTimeout, d.limits.AnswersMax, s.told)
	stop := context.AfterFunc(ctx, func() { _ = line.Close() })
	defer stop()
	err := read()
	s.writer.Close()
	d.agent.Gone(s)
	switch {
	case errors.Is(err, io.EOF), ctx.Err() != nil, errors.Is(err, net.ErrClosed):
		d.log.Debug("app gone", slog.String("app", s.name))
	default:
		d.log.Warn("app shut out", slog.String("app", s.name), slog.Any("error", err))
	}
}

// errSlow: a frame was begun and not finished in time.
var errSlow = errors.New("half a frame, and no more of it in time")

// pacer lets an app be silent between frames for as long as it likes, but not within one.
type pacer struct {
	conn   net.Conn
	frames *protocol.FrameReader
	limit  time.Duration
	began  time.Time // when the first byte of the current frame was there
}

func (p *pacer) Read(b []byte) (int, error) {
	var deadline time.Time
	if p.frames.Buffered() > 0 {
		if p.began.IsZero() {
			p.began = time.Now()
		}
		deadline = p.began.Add(p.limit)
	}
	if err := p.conn.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	return p.conn.Read(b)
}

// Tell hands an answer to the app, without waiting for it.
func (s *session) Tell(ticket uint64, body []byte) agent.TellResult {
	wire, err := s.profile.AppendFrame(make([]byte, 0, len(body)+8), body)
	if err != nil {
		s.Hang("an answer that fits no frame")
		return agent.TellGone
	}
	fate, err := s.writer.Send(link.Tag{ID: ticket}, wire)
	switch {
	case errors.Is(err, link.ErrBusy):
		s.Hang("it does not read its answers")
		return agent.TellGone
	case err != nil:
		return agent.TellGone
	case fate == link.Left:
		return agent.TellDelivered
	}
	return agent.TellWaits
}

// Hang ends the connection; the reader notices and cleans up.
func (s *session) Hang(why string) {
	s.hung.Do(func() {
		s.door.log.Warn("app hung up on", slog.String("app", s.name), slog.String("why", why))
		_ = s.conn.Close()
	})
}

// Name is the app's address.
func (s *session) Name() string { return s.name }

func (s *session) told(tag link.Tag, fate link.Fate) {
	if tag.ID != 0 {
		s.door.agent.Told(tag.ID, fate == link.Left)
	}
}

func (s *session) read(conn net.Conn) error {
	p := &pacer{conn: conn, limit: s.door.limits.FrameTimeout}
	p.frames = s.profile.NewFrameReader(p)
	for first := true; ; first = false {
		p.began = time.Time{}
		body, err := p.frames.Next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errSlow
		}
		if err != nil {
			return err
		}
		if first {
			s.door.spoke(s)
		}
		if len(body) > 0 { // an empty one is a keepalive
			s.door.agent.Frame(s, body)
		}
	}
}
