package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// frozenRcvbuf is the receive buffer of an app that froze, in bytes; the kernel makes it its least
// (2304 on Linux), so that a few unread answers fill it.
const frozenRcvbuf = 1

// freeze is an app that froze: it sends echoes and then a sale, reads nothing, and holds the
// connection until it is killed or --hold is over. Nobody can know what became of the sale.
func (s *sellFlags) freeze(ctx context.Context, w io.Writer) error {
	if err := s.dial(ctx, frozenRcvbuf); err != nil {
		return fmt.Errorf("no connection: %s", plain(err))
	}
	defer context.AfterFunc(ctx, func() { _ = s.conn.Close() })()
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.timeout))
	echo := s.till
	echo.mti = s.mti[:1] + "800"
	echo.next(echo.sent) // the sale keeps its STAN to itself
	for n := range s.echoes {
		frame, err := echo.frame(echo.mti)
		if err != nil {
			return err
		}
		if _, err := s.conn.Write(frame); err != nil {
			return s.jammed(w, n, err)
		}
		echo.next(echo.sent)
	}
	frame, err := s.frame(s.mti)
	if err != nil {
		return err
	}
	if _, err := s.conn.Write(frame); err != nil {
		return s.jammed(w, s.echoes, err)
	}
	_, err = fmt.Fprintf(w, "frozen    %s  %s  %s  %d echoes and the sale sent, nothing read\n",
		s.tid, s.trace(), s.amountText, s.echoes)
	if err != nil {
		return err
	}
	s.wait(ctx)
	return exitError(exitUnknown)
}

// jammed: the other side stopped reading because we do not; the sale never left whole.
func (s *sellFlags) jammed(w io.Writer, echoes int, err error) error {
	if _, err := fmt.Fprintf(w, "jammed    %s  %s  after %d echoes: %s\n", s.tid, s.trace(), echoes,
		plain(err)); err != nil {
		return err
	}
	return exitError(exitUnknown)
}

func (s *sellFlags) wait(ctx context.Context) {
	if s.hold == 0 {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(s.hold)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
