package iso_test

import (
	"slices"
	"testing"

	"reversald/iso"
)

// Reversal rules 6, failure catalogue 9: 1 follows 999999, 0 is never used, and what is open is
// left out.
func TestNextSTAN(t *testing.T) {
	none := func(string) bool { return false }
	for _, test := range []struct {
		last int
		open []string
		want string
	}{
		{0, nil, "000001"},
		{41, nil, "000042"},
		{999_998, nil, "999999"},
		{999_999, nil, "000001"},
		{999_999, []string{"000001", "000002"}, "000003"},
		{122, []string{"000123"}, "000124"},
		{999_997, []string{"999998", "999999", "000001"}, "000002"},
		{-5, nil, "000001"},
		{5_000_000, nil, "000001"},
	} {
		open := none
		if test.open != nil {
			open = func(stan string) bool {
				return slices.Contains(test.open, stan)
			}
		}
		next, stan, ok := iso.NextSTAN(test.last, open)
		if !ok || stan != test.want || iso.FormatSTAN(next) != stan {
			t.Errorf("after %d with %v open comes %q", test.last, test.open, stan)
		}
	}
	if _, _, ok := iso.NextSTAN(7, func(string) bool { return true }); ok {
		t.Error("every number is open, and one was given")
	}
	if iso.FormatSTAN(1) != "000001" || iso.FormatSTAN(999_999) != "999999" {
		t.Error("six digits")
	}
}

func TestStanPolicies(t *testing.T) {
	for text, want := range map[string]iso.StanPolicy{
		"{}":                                  {First: iso.StanOriginal, Repeat: iso.StanOriginal},
		"{stan: new}":                         {First: iso.StanNew, Repeat: iso.StanNew},
		"{stan: new, repeat_stan: same}":      {First: iso.StanNew, Repeat: iso.StanSame},
		"{repeat_stan: new}":                  {First: iso.StanOriginal, Repeat: iso.StanNew},
		"{stan: original, repeat_stan: same}": {First: iso.StanOriginal, Repeat: iso.StanOriginal},
	} {
		p, err := iso.Parse([]byte("name: n\nextends: iso87-ascii\nreversal: "+text+"\n"), "n")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.StanPolicy(); got != want || got.Counts() != (want.First == iso.StanNew || want.Repeat == iso.StanNew) {
			t.Errorf("%s: %+v", text, got)
		}
	}
}
