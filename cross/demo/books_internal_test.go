package main

import (
	"strings"
	"testing"
)

// TestBalance: books that do not balance are found out, in every way in which they can fail to.
func TestBalance(t *testing.T) {
	yes := func(stan, amount string) rung { return rung{stan, amount, true} }
	no := func(stan, amount string) rung { return rung{stan, amount, false} }
	debit := func(stan string, minor int64) booked {
		return booked{STAN: stan, State: "debited", Amount: minor}
	}
	reversed := booked{STAN: "000002", State: "reversed", Amount: 1234}
	for name, test := range map[string]struct {
		sales []rung
		books []booked
		want  tally
		ok    bool
	}{
		"one sold, one reversed": {
			[]rung{yes("000001", "25.00"), no("000002", "12.34")},
			[]booked{debit("000001", 2500), reversed},
			tally{rungUp: 2, approved: 1, belong: 1},
			true,
		},
		"a debit left behind": {
			[]rung{yes("000001", "25.00"), no("000002", "12.34")},
			[]booked{debit("000001", 2500), debit("000002", 1234)},
			tally{rungUp: 2, approved: 1, belong: 1, orphans: 1},
			false,
		},
		"an approved sale was reversed": {
			[]rung{yes("000001", "25.00"), yes("000002", "12.34")},
			[]booked{debit("000001", 2500), reversed},
			tally{rungUp: 2, approved: 2, belong: 1, lost: 1},
			false,
		},
		"an approved sale the host never saw": {
			[]rung{yes("000001", "25.00"), yes("000003", "1.00")},
			[]booked{debit("000001", 2500)},
			tally{rungUp: 2, approved: 2, belong: 1, lost: 1},
			false,
		},
		"debited twice": {
			[]rung{yes("000001", "25.00")},
			[]booked{debit("000001", 2500), debit("000001", 2500)},
			tally{rungUp: 1, approved: 1, belong: 1, orphans: 1},
			false,
		},
		"debited with another amount": {
			[]rung{yes("000001", "25.00")},
			[]booked{debit("000001", 2501)},
			tally{rungUp: 1, approved: 1, orphans: 1, lost: 1},
			false,
		},
		"a debit that no till knows": {
			[]rung{yes("000001", "25.00")},
			[]booked{debit("000001", 2500), debit("000009", 1)},
			tally{rungUp: 1, approved: 1, belong: 1, orphans: 1},
			false,
		},
		"nothing was sold at all": {
			[]rung{no("000002", "12.34")}, []booked{reversed}, tally{rungUp: 1}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare(test.sales, test.books)
			if got != test.want || got.balances() != test.ok {
				t.Errorf("got %+v, balances %t; want %+v, %t", got, got.balances(), test.want, test.ok)
			}
		})
	}
	for _, left := range []status{{Owed: 1, Open: 1}, {Open: 1}, {Open: 1, Stuck: 1}} {
		if left.nothing() {
			t.Errorf("%+v counts as nothing left", left)
		}
	}
}

// TestScenesAreHeldToTheirTitles: a scene that did not come out as it must is said to be wrong.
func TestScenesAreHeldToTheirTitles(t *testing.T) {
	for _, sc := range scenes() {
		if faults := differ(sc.want, sc.want); len(sc.want) == 0 || len(faults) > 0 {
			t.Errorf("%s: %v", sc.letter, faults)
		}
		for i, spoil := range []func(*fate){
			func(f *fate) { f.cashier = "approved 01" }, func(f *fate) { f.journal += " > stray" },
			func(f *fate) { f.host = "elsewhere" },
		} {
			got := append([]fate{}, sc.want...)
			spoil(&got[len(got)-1])
			if faults := differ(got, sc.want); len(faults) != 1 {
				t.Errorf("%s, spoiled in way %d: %v", sc.letter, i, faults)
			}
		}
		if faults := differ(sc.want[1:], sc.want); len(faults) != 1 ||
			!strings.Contains(faults[0], "rung up") {
			t.Errorf("%s, one sale short: %v", sc.letter, faults)
		}
	}
}

// TestStory: repeated reversals are one, so that a slow machine tells the same story.
func TestStory(t *testing.T) {
	got := strings.Join(story([]entry{
		{Kind: "asked"},
		{Kind: "doubted", Reason: "power cut"},
		{Kind: "reversal sent"},
		{Kind: "reversal sent"},
		{Kind: "reversed", Code: "00"},
	}), " > ")
	if want := undone("", "power cut").journal; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
