package agent_test

import (
	"fmt"
	"testing"
	"time"

	"reversald/agent"
)

// Rule: at power-up what was asked without an outcome is reversed, first thing.
func TestAQuestionFoundAtPowerUpIsReversed(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		sale := h.hears("0200")
		s.restarts()
		next := s.lineComesUp()
		m := next.hears("0400")
		if m.Fields[39] != "22" || m.Fields[2] != sale.Fields[2] || m.Fields[4] != sale.Fields[4] {
			t.Errorf("reason %q, amount %q", m.Fields[39], m.Fields[4])
		}
		next.answers(m, "00")
		s.onFile("000001", "asked", "doubted", "reversal sent", "reversed")
	})
}

// Rule: attempts are counted from the journal: after KILL the next is a repeat.
func TestAttemptsAreCountedAcrossRestarts(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.hears("0200")
		s.passes(s.limits.HostTimeout)
		h.hears("0400")
		for range 3 {
			s.restarts()
			h = s.lineComesUp()
			h.hears("0401")
			h.hearsNothing()
		}
		h.answers(iso0400("000001"), "00")
		sent := 0
		for _, l := range s.story("000001") {
			if l.Kind == "reversal sent" {
				sent++
				if l.Attempt != sent {
					t.Errorf("attempt %d is on file as %d", sent, l.Attempt)
				}
			}
		}
		if sent != 4 {
			t.Errorf("%d attempts on file", sent)
		}
	})
}

// Rule: an approval whose delivery is not on file falls the way the configuration says.
func TestAnUnconfirmedApprovalAtPowerUp(t *testing.T) {
	t.Parallel()
	unconfirmed := func(s *shop) *host {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		app.takes(agent.TellWaits)
		h.answers(h.hears("0200"), "00")
		s.restarts()
		return s.lineComesUp()
	}
	t.Run("reverse", func(t *testing.T) {
		story(t, func(s *shop) {
			t := s.t
			h := unconfirmed(s)
			m := h.hears("0400")
			if m.Fields[37] != "000000000042" {
				t.Errorf("the host's reference is %q", m.Fields[37])
			}
			h.answers(m, "00")
			s.onFile("000001", "asked", "approved", "doubted", "reversal sent", "reversed")
		})
	})
	t.Run("keep", func(t *testing.T) {
		story(t, func(s *shop) {
			h := unconfirmed(s)
			h.hearsNothing()
			s.onFile("000001", "asked", "approved", "confirmed")
		}, func(s *shop) { s.limits.KeepUnconfirmed = true })
	})
	t.Run("keep says nothing about what was only asked", func(t *testing.T) {
		story(t, func(s *shop) {
			h, app := s.lineComesUp(), s.till("TERM0001")
			app.asks("000001")
			h.hears("0200")
			s.restarts()
			h = s.lineComesUp()
			h.answers(h.hears("0400"), "25")
			s.owes(0, 0)
		}, func(s *shop) { s.limits.KeepUnconfirmed = true })
	})
}

// Rule: a stop in order reverses nothing by itself, loses nothing that was noted, and the next
// start finds what KILL would leave.
func TestAStopInOrderIsAStart(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "00")
		app.hears("0210", "00")
		app.asks("000002")
		h.hears("0200")
		s.closes()
		s.opens()
		h = s.lineComesUp()
		h.answers(h.hears("0400"), "00")
		h.hearsNothing()
		s.onFile("000001", "asked", "approved", "confirmed")
		s.onFile("000002", "asked", "doubted", "reversal sent", "reversed")
	}, func(s *shop) { s.limits.Linger = time.Second })
}

// Rule: an answer that an app has taken in full is confirmed though the agent stops in that moment.
func TestADeliveryReportedDuringTheStopIsConfirmed(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		app.takes(agent.TellWaits)
		h.answers(h.hears("0200"), "00")
		s.stop()
		s.agent.Told(app.tickets[0], true) // before Run has looked at either
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if err := s.journal.Close(); err != nil {
			t.Error(err)
		}
		s.opens()
		s.lineComesUp().hearsNothing()
		s.onFile("000001", "asked", "approved", "confirmed")
	})
}

// Rule: KILL in every moment of a payment's life: the next life brings it to the one end that the
// promise allows, and the host's books balance.
func TestKillInEveryMoment(t *testing.T) {
	t.Parallel()
	// Moments of one story: ask, approve, be silent, reverse. The kill comes before step n.
	steps := []func(s *shop, h *host, app *till){
		func(_ *shop, _ *host, app *till) { app.asks("000001") },
		func(_ *shop, h *host, app *till) { h.answers(iso0200("000001"), "00") },
		func(_ *shop, _ *host, app *till) { app.asks("000002") },
		func(s *shop, _ *host, _ *till) { s.passes(s.limits.HostTimeout) },
		func(s *shop, _ *host, _ *till) { s.passes(s.limits.HostTimeout) },
		func(_ *shop, h *host, _ *till) { h.answers(iso0400("000002"), "96") },
		func(s *shop, _ *host, _ *till) { s.passes(s.limits.HostTimeout) },
		func(_ *shop, h *host, _ *till) { h.answers(iso0400("000002"), "00") },
	}
	for kill := range len(steps) + 1 {
		t.Run(fmt.Sprintf("before step %d", kill), func(t *testing.T) {
			story(t, func(s *shop) {
				t := s.t
				s.limits.Linger = time.Second
				h, app := s.lineComesUp(), s.till("TERM0001")
				for _, step := range steps[:kill] {
					step(s, h, app)
				}
				s.restarts()
				h = s.lineComesUp()
				for range 5 {
					for _, m := range h.all() {
						if m.MTI != "0400" && m.MTI != "0401" {
							t.Errorf("the next life sends %s", m.MTI)
						}
						h.answers(m, "00")
					}
					s.passes(s.limits.HostTimeout)
				}
				s.owes(0, 0)
				told := map[string]string{"000001": "", "000002": ""}
				app.mu.Lock()
				for _, body := range app.heard {
					m, err := s.profile.Decode(body)
					if err != nil {
						t.Error(err)
					}
					told[m.Fields[11]] = m.Fields[39]
				}
				app.mu.Unlock()
				for stan, code := range told {
					story := kinds(s.story(stan))
					if len(story) == 0 {
						continue // never asked
					}
					end := story[len(story)-1]
					if want := map[bool]string{true: "confirmed", false: "reversed"}[code == "00"]; end != want {
						t.Errorf("payment %s: the app was told %q and the journal ends %q", stan, code, story)
					}
				}
			})
		})
	}
}

// Rule: what a reversal needs comes back byte for byte, letters of any alphabet included.
func TestAReversalAfterARestartHasTheOriginalsBytes(t *testing.T) {
	name := "\xd6\xd0\xb9\xfa \x01<>&\u2028\"\\\xff" // as one character a byte
	latin := make([]rune, 0, len(name))
	for _, b := range []byte(name) {
		latin = append(latin, rune(b))
	}
	fields := sale("TERM0001", "000001")
	fields[43] = fmt.Sprintf("%-40s", string(latin))
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.sends("0200", fields)
		asked := h.hears("0200")
		s.restarts()
		m := s.lineComesUp().hears("0400")
		for _, n := range []int{2, 3, 4, 11, 12, 13, 14, 22, 25, 41, 42, 43, 49} {
			if m.Fields[n] != asked.Fields[n] {
				t.Errorf("field %d is %q, was %q", n, m.Fields[n], asked.Fields[n])
			}
		}
	})
}

// Rule: any number of open payments may be found at power-up.
func TestAThousandOpenPaymentsAtPowerUp(t *testing.T) {
	t.Parallel()
	const payments = 1000
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep %v", keep), func(t *testing.T) {
			story(t, func(s *shop) {
				t := s.t
				h := s.lineComesUp()
				for n := range payments {
					app := s.till(fmt.Sprintf("TERM%04d", n))
					app.takes(agent.TellWaits)
					app.asks(fmt.Sprintf("%06d", n))
				}
				asked := h.all()
				if len(asked) != payments {
					t.Fatalf("%d went out", len(asked))
				}
				one := s.till("TERM9999")
				one.asks("999999")
				one.hears("0210", s.profile.Codes().Busy) // and one more is too many
				h.answersAll(asked, "00")
				s.restarts()
				h = s.lineComesUp()
				if keep {
					h.hearsNothing()
					s.owes(0, 0)
					return
				}
				for len(asked) > 0 {
					s.passes(2 * time.Second) // they are more than the line takes at once
					reversals := h.all()
					if len(reversals) == 0 {
						t.Fatalf("%d are still owed and nothing is sent", len(asked))
					}
					h.answersAll(reversals, "00")
					asked = asked[len(reversals):]
				}
				s.owes(0, 0)
			}, func(s *shop) { s.limits.KeepUnconfirmed = keep })
		})
	}
}
