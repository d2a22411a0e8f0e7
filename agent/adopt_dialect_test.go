package agent_test

import (
	"strings"
	"testing"
)

// ownReversal is the reversal that a till's own app sends in a dialect.
func (p *till) ownReversal(stan string) {
	p.shop.t.Helper()
	fields := p.shop.tongue.sale(p.terminal, stan)
	for _, n := range []int{14, 25, 26, 35, 43, 48, 52, 53} {
		delete(fields, n)
	}
	switch p.shop.tongue.profile {
	case "unionpay":
		fields[39] = "06"
	case "iso93":
		fields[11], fields[24], fields[25] = "000777", "400", "4000"
		fields[56] = "1200" + stan + "260301090000" + "06123456"
	case "as2805":
		fields[90] = "0200" + stan + "0301090000" + "10000000987" + strings.Repeat("0", 11)
	default:
		fields[39] = "17"
		fields[90] = "0200" + stan + "0301090000" + strings.Repeat("0", 22)
	}
	p.sends(p.shop.tongue.first, fields)
}

// Rule: a reversal of the app's own is ours, in every dialect: one goes to the host until that has
// undone the payment, and the app gets the answer, with a MAC where the host's would have one.
func TestTheAppsOwnReversalIsAdoptedInEveryDialect(t *testing.T) {
	everywhere(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.answers(h.askedFor(app.asks("000123")), s.tongue.yes)
		app.hears(s.tongue.answered, s.tongue.yes)
		app.ownReversal("000123")
		h.reversal(1)
		if s.bank != nil {
			h.proven()
		}
		app.hearsNothing()
		s.passes(s.limits.HostTimeout)
		h.answers(h.reversal(2), s.tongue.done[0])
		body := app.hearsBytes()
		g, err := s.profile.Glance(body)
		if err != nil || g.MTI != s.profile.AnswerMTI(s.tongue.first) || g.Code != s.tongue.done[0] {
			s.t.Errorf("the app hears %s with code %q, %v", g.MTI, g.Code, err)
		}
		if s.profile.MAC().Needs(g) {
			if _, right := s.macOf(body); !right {
				s.t.Error("the answer to the app has no right MAC")
			}
		}
		h.hearsNothing()
		s.onFile("000123", "asked", "approved", "confirmed", "doubted", "reversal sent", "reversal sent",
			"reversed")
		app.ownReversal("000123") // asked again: the outcome on file
		app.hears(s.profile.AnswerMTI(s.tongue.first), s.tongue.done[0])
		h.hearsNothing()
	})
}
