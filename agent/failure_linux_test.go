package agent_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"reversald/agent"
	"reversald/store"
)

// breaks makes every write to one of the journal's files fail from now on, as a dead medium does:
// the descriptor behind the journal's back becomes one that can only be read.
func (s *shop) breaks(name string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	closed, err := os.Open(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer closed.Close()
	found := false
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		var fd int
		if _, err := fmt.Sscan(e.Name(), &fd); err != nil || fd == int(closed.Fd()) {
			continue
		}
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && target == path {
			if err := unix.Dup3(int(closed.Fd()), fd, unix.O_CLOEXEC); err != nil {
				s.t.Fatal(err)
			}
			found = true
		}
	}
	if !found {
		s.t.Fatalf("nobody has %s open", path)
	}
}

// ends waits for the agent to end by itself, which it must.
func (s *shop) ends() error {
	s.t.Helper()
	synctest.Wait()
	select {
	case err := <-s.ended:
		s.ended <- err
		return err
	default:
		s.t.Fatal("the agent goes on")
		return nil
	}
}

// brokenOff is a story in which the agent ends, so that it is not stopped in order.
func brokenOff(t *testing.T, f func(s *shop)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.opens()
		defer s.abandons()
		f(s)
	})
}

// Rule: a failed write or sync ends the process, because nobody knows what is on the disk; nothing
// further is sent, nobody is told anything, and the next start finds out.
func TestAFailedJournalEndsTheAgent(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"journal.db", "journal.db.ring"} {
		t.Run("the request, "+file, func(t *testing.T) {
			brokenOff(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				s.breaks(file)
				app.asks("000001")
				if err := s.ends(); !errors.Is(err, store.ErrUnknown) {
					t.Errorf("ended with %v", err)
				}
				h.hearsNothing()
				app.hearsNothing()
				_ = s.journal.Close()
				s.opens() // the request may be on file: then it is reversed, for a 25
				h = s.lineComesUp()
				for _, m := range h.all() {
					h.answers(m, "25")
				}
				s.owes(0, 0)
				s.closes()
			})
		})
		t.Run("the approval, "+file, func(t *testing.T) {
			brokenOff(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				sale := h.hears("0200")
				s.breaks(file)
				h.answers(sale, "00")
				if err := s.ends(); !errors.Is(err, store.ErrUnknown) {
					t.Errorf("ended with %v", err)
				}
				app.hearsNothing()
				_ = s.journal.Close()
				s.opens()
				h = s.lineComesUp()
				h.answers(h.hears("0400"), "00")
				s.owes(0, 0)
				s.closes()
			})
		})
		t.Run("a reversal, "+file, func(t *testing.T) {
			brokenOff(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				app.asks("000001")
				h.hears("0200")
				s.breaks(file)
				s.passes(s.limits.HostTimeout)
				if err := s.ends(); !errors.Is(err, store.ErrUnknown) {
					t.Errorf("ended with %v", err)
				}
				h.hearsNothing()
				app.hearsNothing()
				_ = s.journal.Close()
				s.opens()
				h = s.lineComesUp()
				h.answers(h.all()[0], "00")
				s.owes(0, 0)
				s.closes()
			})
		})
		t.Run("a person's order, "+file, func(t *testing.T) {
			brokenOff(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				s.doubtsAndIsAnswered(h, app, "58")
				id := s.id("000001")
				s.breaks(file)
				p, err := s.agent.Resolve(t.Context(), id, "Li", "agreed")
				if !errors.Is(err, agent.ErrStopped) {
					t.Errorf("the command answers %+v, %v, and it may not be on file", p, err)
				}
				if err := s.ends(); !errors.Is(err, store.ErrUnknown) {
					t.Errorf("ended with %v", err)
				}
				h.hearsNothing()
				_ = s.journal.Close()
			})
		})
	}
}

// Rule: whoever talks to an agent that has ended is not kept waiting.
func TestAnAgentThatHasEndedKeepsNobodyWaiting(t *testing.T) {
	brokenOff(t, func(s *shop) {
		t := s.t
		s.lineComesUp()
		app := s.till("TERM0001")
		s.breaks("journal.db")
		app.asks("000001")
		if s.ends() == nil {
			t.Error("ended without an error")
		}
		for n := range 1000 {
			app.asks(fmt.Sprintf("%06d", n))
			s.agent.Told(uint64(n), true)
		}
		app.leaves()
		if _, err := s.agent.Status(t.Context()); !errors.Is(err, agent.ErrStopped) {
			t.Errorf("status: %v", err)
		}
		if _, err := s.agent.Replay(t.Context(), 1, "Li", ""); !errors.Is(err, agent.ErrStopped) {
			t.Errorf("replay: %v", err)
		}
		s.passes(time.Hour)
		_ = s.journal.Close()
	})
}
