package agent_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/guard"
)

// guards sets rails that refuse.
func guards(s *shop) {
	const on = guard.Refuse
	s.limits.Guard = guard.Rails{
		Irreversible: on, CheckDigit: on, Expiry: on, Amount: on, Zero: on, Repeat: on,
		AmountMin: 100, AmountMax: 1_000_000, RepeatWithin: time.Minute,
	}
}

// sells a sale like any other, but for these fields, and has it approved.
func (s *shop) sells(h *host, app *till, stan string, fields map[int]string) {
	s.t.Helper()
	app.sends("0200", saleWith(app.terminal, stan, fields))
	h.answers(h.hears("0200"), "00")
	app.hears("0210", "00")
}

func saleWith(terminal, stan string, fields map[int]string) map[int]string {
	all := sale(terminal, stan)
	maps.Copy(all, fields)
	return all
}

// Rule: a guard rail refuses before anything is on file or sent, with a code of its own.
func TestAGuardRailRefusesBeforeAnythingIsSent(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for i, c := range []struct {
			mti    string
			fields map[int]string
			code   string
		}{
			{"0200", map[int]string{2: "4111111111111112", 35: "4111111111111112D29121011234567800000"}, "14"},
			{"0200", map[int]string{14: "2501", 35: "4111111111111111D25011011234567800000"}, "54"},
			{"0200", map[int]string{4: "000000000099"}, "13"},
			{"0200", map[int]string{4: "000001000001"}, "13"},
			{"0200", map[int]string{3: "310000"}, "12"},
		} {
			stan := fmt.Sprintf("%06d", i+1)
			app.sends(c.mti, saleWith("TERM0001", stan, c.fields))
			app.hears("0210", c.code)
			s.onFile(stan)
		}
		h.hearsNothing()
		if got := s.status().Counts; got.Guarded != 5 || got.Refused != 5 {
			t.Errorf("%+v", got)
		}
	}, guards)
}

// Rule: a rail that warns stops nothing.
func TestAGuardRailThatWarnsStopsNothing(t *testing.T) {
	story(t, func(s *shop) {
		s.sells(s.lineComesUp(), s.till("TERM0001"), "000001", map[int]string{4: "000000000099"})
		if got := s.status().Counts; got.Guarded != 1 || got.Refused != 0 {
			t.Errorf("%+v", got)
		}
	}, guards, func(s *shop) { s.limits.Guard.Amount = guard.Warn })
}

// Rule: the same card and amount a moment after an approval is refused, also after a power cut; a
// sale that was declined or reversed may be tried again at once.
func TestTheSameSaleAgain(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		app.asks("000001")
		h.answers(h.hears("0200"), "51")
		app.hears("0210", "51")
		s.sells(h, app, "000002", nil)
		app.asks("000003")
		app.hears("0210", "94")
		s.settles()
		s.restarts()
		h = s.lineComesUp()
		app.asks("000004")
		app.hears("0210", "94")
		app.asks("000002") // the same question is not a sale again: it has its answer
		app.hears("0210", "00")
		app.reverses("000002")
		h.answers(h.hears("0400"), "00")
		app.hears("0410", "00")
		s.sells(h, app, "000005", nil)
		s.passes(time.Minute)
		s.sells(h, app, "000006", nil)
	}, guards)
}

// Rule: one zero too many is seen by what the terminal has sold, also before a restart.
func TestOneZeroTooMany(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		for i := range 5 {
			s.sells(h, app, fmt.Sprintf("%06d", i+1),
				map[int]string{4: fmt.Sprintf("%012d", 350+10*i)})
		}
		s.settles()
		s.restarts()
		h = s.lineComesUp()
		app.sends("0200", saleWith("TERM0001", "000006", map[int]string{4: "000000003600"}))
		app.hears("0210", "13")
		h.hearsNothing()
		s.sells(h, s.till("TERM0002"), "000007", map[int]string{4: "000000003600"})
	}, guards)
}

// cautious is a till that hears more than a code.
type cautious struct {
	*till
	found []guard.Finding
}

func (c *cautious) Caution(found []guard.Finding) { c.found = append(c.found, found...) }

var _ agent.Cautious = (*cautious)(nil)

// Rule: an app that can hear the reason hears it.
func TestTheReasonOfARefusal(t *testing.T) {
	story(t, func(s *shop) {
		s.lineComesUp()
		app := &cautious{till: s.till("TERM0001")}
		body, err := s.profile.Compose("0200",
			saleWith("TERM0001", "000001", map[int]string{4: "000000000099"}))
		if err != nil {
			t.Fatal(err)
		}
		s.agent.Frame(app, body)
		app.hears("0210", "13")
		if len(app.found) != 1 || app.found[0].Rail != guard.Amount {
			t.Errorf("found %+v", app.found)
		}
	}, guards)
}

// Rule: a sale over a counter hears which rail refused and why; nothing of it is on file or sent,
// and its key may be used again.
func TestTheReasonOfARefusalAtACounter(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		sale := saleOf("key-1", "000001")
		sale.Request.Amount = 99
		r := s.buys(sale).isRefused(agent.RefusedGuard)
		if r.Rail != "amount" || r.Code != "13" || r.Field != 4 || r.Why == "" {
			t.Errorf("%+v", r)
		}
		h.hearsNothing()
		s.onFile("000001")
		sale.Request.Amount = 1234
		asking := s.buys(sale)
		h.answers(h.hears("0200"), "00")
		if p := asking.is("approved"); len(p.Warnings) != 0 {
			t.Errorf("warnings: %+v", p.Warnings)
		}
	}, guards)
}

// Rule: what a rail that warns has found is told with the answer, once.
func TestAWarningAtACounter(t *testing.T) {
	story(t, func(s *shop) {
		h := s.lineComesUp()
		sale := saleOf("key-1", "000001")
		sale.Request.Amount = 99
		asking := s.buys(sale)
		h.answers(h.hears("0200"), "00")
		p := asking.is("approved")
		if len(p.Warnings) != 1 || p.Warnings[0].Rail != "amount" || p.Warnings[0].Text == "" {
			t.Errorf("warnings: %+v", p.Warnings)
		}
		if again := s.buys(sale).is("approved"); !again.Replayed || len(again.Warnings) != 0 {
			t.Errorf("%+v", again)
		}
	}, guards, func(s *shop) { s.limits.Guard.Amount = guard.Warn })
}
