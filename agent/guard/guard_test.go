package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/agent/guard"
	"reversald/iso"
)

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// sale is a good one; each case spoils it.
func sale(changes ...func(*guard.Sale)) guard.Sale {
	s := guard.Sale{
		Terminal: "TERM0001", Currency: "156", Amount: 1234, Reversible: true, At: noon,
		Card: iso.Card{PAN: "4111111111111111", Expiry: "2912"},
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func amount(v int64) func(*guard.Sale)      { return func(s *guard.Sale) { s.Amount = v } }
func ago(d time.Duration) func(*guard.Sale) { return func(s *guard.Sale) { s.At = noon.Add(-d) } }
func pan(v iso.PAN) func(*guard.Sale)       { return func(s *guard.Sale) { s.Card.PAN = v } }
func expiry(v string) func(*guard.Sale)     { return func(s *guard.Sale) { s.Card.Expiry = v } }
func terminal(v string) func(*guard.Sale)   { return func(s *guard.Sale) { s.Terminal = v } }
func currency(v string) func(*guard.Sale)   { return func(s *guard.Sale) { s.Currency = v } }
func irreversible(s *guard.Sale)            { s.Reversible = false }
func cardless(s *guard.Sale)                { s.Card = iso.Card{} }

// sold are approved sales of other cards, hours ago.
func sold(amounts ...int64) []guard.Sale {
	var all []guard.Sale
	for _, v := range amounts {
		all = append(all, sale(amount(v), ago(time.Hour), pan("5500005555555559")))
	}
	return all
}

func rails(l guard.Level) guard.Rails {
	return guard.Rails{
		Irreversible: l, CheckDigit: l, Expiry: l, Amount: l, Zero: l, Repeat: l,
		AmountMin: 100, AmountMax: 1_000_000, RepeatWithin: time.Minute,
	}
}

func TestJudge(t *testing.T) {
	coffees := sold(350, 420, 380, 990, 350)
	for name, c := range map[string]struct {
		sale   guard.Sale
		recent []guard.Sale
		lost   bool // the clock can not be believed
		want   []guard.Rail
	}{
		"a good one":             {sale: sale()},
		"can not be reversed":    {sale: sale(irreversible), want: []guard.Rail{guard.Irreversible}},
		"mistyped card":          {sale: sale(pan("4111111111111112")), want: []guard.Rail{guard.CheckDigit}},
		"card of another length": {sale: sale(pan("6222021234567890128"))},
		"no card":                {sale: sale(cardless)},
		"expired":                {sale: sale(expiry("2602")), want: []guard.Rail{guard.Expiry}},
		"expires this month":     {sale: sale(expiry("2603"))},
		"expired, clock unknown": {sale: sale(expiry("2602")), lost: true},
		"expiry of another form": {sale: sale(expiry("12"))},
		"too small":              {sale: sale(amount(99)), want: []guard.Rail{guard.Amount}},
		"just large enough":      {sale: sale(amount(100))},
		"just small enough":      {sale: sale(amount(1_000_000))},
		"too large":              {sale: sale(amount(1_000_001)), want: []guard.Rail{guard.Amount}},
		"one zero too many": {
			sale: sale(amount(3500)), recent: coffees, want: []guard.Rail{guard.Zero},
		},
		"a large one without that zero": {sale: sale(amount(3501)), recent: coffees},
		"a cake":                        {sale: sale(amount(2900)), recent: coffees},
		"two zeros":                     {sale: sale(amount(38000)), recent: coffees},
		"too few to compare":            {sale: sale(amount(3500)), recent: coffees[:4]},
		"another terminal's sales":      {sale: sale(amount(3500), terminal("TERM0002")), recent: coffees},
		"another currency's sales":      {sale: sale(amount(3500), currency("840")), recent: coffees},
		"again":                         {sale: sale(), recent: []guard.Sale{sale(ago(59 * time.Second))}, want: []guard.Rail{guard.Repeat}},
		"again, a minute later":         {sale: sale(), recent: []guard.Sale{sale(ago(time.Minute))}},
		"the same card, another amount": {sale: sale(), recent: []guard.Sale{sale(amount(1235), ago(time.Second))}},
		"the same amount, another card": {sale: sale(), recent: []guard.Sale{sale(pan("5500005555555559"), ago(time.Second))}},
		"again at another terminal":     {sale: sale(), recent: []guard.Sale{sale(terminal("TERM0002"), ago(time.Second))}},
		"approved tomorrow":             {sale: sale(), recent: []guard.Sale{sale(ago(-time.Hour))}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, level := range []guard.Level{guard.Off, guard.Warn, guard.Refuse} {
				var got []guard.Rail
				for _, f := range rails(level).Judge(c.sale, c.recent, !c.lost) {
					got = append(got, f.Rail)
					if f.Level != level || f.Why == "" {
						t.Errorf("%+v at level %s", f, level)
					}
					if n := string(c.sale.Card.PAN); n != "" && strings.Contains(f.Why, n) {
						t.Errorf("a finding shows the card number")
					}
				}
				want := c.want
				if level == guard.Off {
					want = nil
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("level %s: -want +got\n%s", level, diff)
				}
			}
		})
	}
}

// Several at once come in the order of the rails; bounds of 0 are none.
func TestJudgeInOrder(t *testing.T) {
	r := rails(guard.Warn)
	r.Expiry = guard.Refuse
	found := r.Judge(sale(irreversible, pan("4111111111111112"), expiry("2001"), amount(1)), nil, true)
	var got []string
	for _, f := range found {
		got = append(got, f.Rail.String()+" "+f.Level.String())
	}
	want := []string{"irreversible warn", "check_digit warn", "expiry refuse", "amount warn"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	r.AmountMin, r.AmountMax = 0, 0
	if found := r.Judge(sale(amount(1)), nil, true); len(found) != 0 {
		t.Errorf("no bounds, and yet %v", found)
	}
}

func TestLevels(t *testing.T) {
	for _, l := range []guard.Level{guard.Off, guard.Warn, guard.Refuse} {
		if got, ok := guard.ParseLevel(l.String()); !ok || got != l {
			t.Errorf("%s: %v %v", l, got, ok)
		}
	}
	if _, ok := guard.ParseLevel("loud"); ok {
		t.Error("loud is a level")
	}
	if (guard.Rails{}).Any() || !rails(guard.Warn).Any() {
		t.Error("Any")
	}
}
