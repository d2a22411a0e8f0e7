package agent_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"reversald/agent"
)

// Rule: the profile's four lists decide what the answer to a reversal means; a code in none of them
// needs a person.
func TestTheHostsAnswerToAReversalDecides(t *testing.T) {
	t.Parallel()
	cases := []struct {
		code string
		want []string // entries after the first attempt
	}{
		{"00", []string{"reversed"}},
		{"25", []string{"reversed"}}, // it never saw the request
		{"12", []string{"reversed"}},
		{"96", []string{"reversal answered"}},
		{"A0", []string{"reversal answered"}},
		{"58", []string{"stuck"}},
		{"7Z", []string{"stuck"}},
	}
	for _, c := range cases {
		t.Run(c.code, func(t *testing.T) {
			story(t, func(s *shop) {
				t := s.t
				h, app := s.lineComesUp(), s.till("TERM0001")
				s.doubtsAndIsAnswered(h, app, c.code)
				if c.want[0] == "reversal answered" {
					s.settles()
					h.all()
				}
				story := kinds(s.story("000001"))[3:]
				if story[0] != c.want[0] {
					t.Errorf("after code %s: %q, want %q first", c.code, story, c.want)
				}
				switch c.want[0] {
				case "reversed":
					s.owes(0, 0)
				case "stuck":
					s.owes(0, 1)
				default:
					s.owes(1, 0)
				}
			})
		})
	}
}

// Rule: "not now" is sent again after a wait, as a repeat, until the host has done it.
func TestPutOffIsSentAgainAfterAWait(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "96")
		s.passes(s.limits.HostTimeout - time.Millisecond)
		h.hearsNothing()
		s.passes(time.Millisecond)
		h.answers(h.hears("0401"), "91")
		s.passes(s.limits.HostTimeout)
		h.answers(h.hears("0401"), "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversal answered",
			"reversal sent", "reversal answered", "reversal sent", "reversed")
	})
}

// Rule: keys out of step: again at once, but never in a loop that the host could not stop.
func TestSignOnIsSentAgainAtOnceButNotForEver(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "A0")
		for n := 2; n <= s.limits.Schedule.Quick; n++ {
			h.answers(h.hears("0401"), "A0")
		}
		h.hearsNothing()
		s.passes(s.limits.Schedule.WaitMin / 2)
		h.hearsNothing()
		s.passes(s.limits.Schedule.WaitMin)
		h.answers(h.hears("0401"), "00")
		s.owes(0, 0)
	})
}

// Rule: a stuck reversal does not block trade; it is never sent by itself, and never dropped.
func TestAStuckReversalDoesNotBlockTrade(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "58")
		app.asks("000002")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		s.passes(30 * 24 * time.Hour)
		h.hearsNothing()
		s.owes(0, 1)
		s.restarts()
		s.lineComesUp().hearsNothing()
		s.owes(0, 1)
		open, err := s.agent.Open(t.Context())
		if err != nil || len(open) != 1 || open[0].Code != "58" || !strings.Contains(open[0].Cause, "58") {
			t.Errorf("open: %+v, %v; want the code and the cause", open, err)
		}
	})
}

// Rule: a person may have a stuck reversal sent again, with a name; that is on file before the
// command answers.
func TestAPersonReplaysAStuckReversal(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "58")
		id := s.id("000001")
		p, err := s.agent.Replay(t.Context(), id, "Li Wei", "host says it is fixed")
		if err != nil || p.Phase != "doubted" {
			t.Fatalf("replay: %+v, %v", p, err)
		}
		last := storyIn(s.linesNow(), "000001")[4]
		if last.Kind != "replayed" || last.By != "Li Wei" || last.Why != "host says it is fixed" {
			t.Errorf("when the command answers the journal holds %s by %q, %q", last.Kind, last.By, last.Why)
		}
		h.answers(h.hears("0401"), "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "stuck", "replayed",
			"reversal sent", "reversed")
	})
}

// Rule: a replay of what waits makes it go now.
func TestAPersonReplaysAWaitingReversal(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		s.passes(10 * time.Hour)
		h.all()
		s.passes(time.Minute)
		if _, err := s.agent.Replay(t.Context(), s.id("000001"), "Li", ""); err != nil {
			t.Fatal(err)
		}
		h.answers(h.hears("0401"), "00")
		s.owes(0, 0)
	})
}

// Rule: only a person closes a stuck payment, with name and reason; only a stuck one.
func TestOnlyAPersonClosesAStuckPayment(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.passes(s.limits.HostTimeout)
		id := s.id("000001")
		ctx := t.Context()
		if _, err := s.agent.Resolve(ctx, id, "Li", "tired of it"); !errors.Is(err, agent.ErrPhase) {
			t.Errorf("a payment that is being reversed was closed: %v", err)
		}
		h.answers(h.hears("0400"), "58")
		if _, err := s.agent.Resolve(ctx, id, "", "reason"); !errors.Is(err, agent.ErrNoName) {
			t.Errorf("without a name: %v", err)
		}
		if _, err := s.agent.Resolve(ctx, id, "Li", ""); !errors.Is(err, agent.ErrNoName) {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := s.agent.Resolve(ctx, 4711, "Li", "reason"); !errors.Is(err, agent.ErrNoPayment) {
			t.Errorf("no such payment: %v", err)
		}
		p, err := s.agent.Resolve(ctx, id, "Li", "debit refunded by the bank")
		if err != nil || p.Phase != "resolved" {
			t.Errorf("resolve: %+v, %v", p, err)
		}
		s.onFile("000001", "asked", "doubted", "reversal sent", "stuck", "resolved")
		s.owes(0, 0)
		if _, err := s.agent.Replay(ctx, id, "Li", ""); !errors.Is(err, agent.ErrNoPayment) {
			t.Errorf("a closed payment was replayed: %v", err)
		}
	})
}

// Rule: what a person writes has a limit, and beyond it is refused; the agent goes on.
func TestAPersonsReasonHasALimit(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "58")
		id := s.id("000001")
		for _, why := range []string{strings.Repeat("x", 5000), strings.Repeat("\x01", 2000)} {
			if _, err := s.agent.Replay(t.Context(), id, "Li", why); err == nil {
				t.Error("a novel was taken for a reason")
			}
			if _, err := s.agent.Resolve(t.Context(), id, why, "reason"); err == nil {
				t.Error("a novel was taken for a name")
			}
		}
		s.owes(0, 1)
		app.asks("000002")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
	})
}
