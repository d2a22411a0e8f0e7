package agent_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// rawLine is a line whose host looks at bytes, not at messages.
type rawLine struct {
	host   *host
	bodies chan []byte
}

func (s *shop) rawLine() *rawLine {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	line, err := s.dialer.Accept(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	r := &rawLine{host: &host{shop: s, line: line}, bodies: make(chan []byte, 100)}
	s.hosts = append(s.hosts, r.host)
	go func() {
		defer close(r.bodies)
		for frames := s.profile.NewFrameReader(line.Host); ; {
			body, err := frames.Next()
			if err != nil {
				return
			}
			r.bodies <- body
		}
	}()
	synctest.Wait()
	return r
}

func (r *rawLine) next(t *testing.T) []byte {
	t.Helper()
	synctest.Wait()
	select {
	case body := <-r.bodies:
		return body
	default:
		t.Fatal("the host hears nothing")
		return nil
	}
}
