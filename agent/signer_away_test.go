package agent_test

import (
	"testing"
	"time"

	"reversald/hal/haltest"
)

// Rule: a signer that is away for a day fills no journal: the attempts that never leave come
// further and further apart.
func TestASignerThatIsAwayFillsNoJournal(t *testing.T) {
	authenticated(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		fault := haltest.SignerFaults{Away: true}
		for range 20_000 {
			s.faults().Add(fault)
		}
		before := s.status().Entries
		s.passes(4 * time.Hour)
		if n := s.status().Entries - before; n > 150 {
			s.t.Errorf("four hours without a signer are %d entries", n)
		}
		s.owes(1, 0)
		h.hearsNothing()
	}, misbehaving())
}
