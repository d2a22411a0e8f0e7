package payment_test

import (
	"strings"
	"testing"

	"reversald/agent/payment"
)

// A state that must never be is named as such: the agent ends rather than go on with it.
func TestWhatMustNeverBeIsNamed(t *testing.T) {
	t.Parallel()
	const by = payment.ByDelivery
	for _, c := range []struct {
		name string
		s    payment.State
		want string // "": nothing is wrong
	}{
		{"a phase that there is not", payment.State{Phase: payment.Resolved + 1, ConfirmBy: by}, "no such phase"},
		{"fewer than no attempts", payment.State{Phase: payment.Doubted, ConfirmBy: by, Attempts: -1}, "attempts"},
		{"reversed, and never sent", payment.State{Phase: payment.Reversed, ConfirmBy: by}, "without a reversal"},
		{"no way to confirm it", payment.State{Phase: payment.Asked}, "how it is confirmed"},
		{"doubted for no reason", payment.State{Phase: payment.Doubted, ConfirmBy: by}, "without a reason"},
		{
			"held, and not owed",
			payment.State{Phase: payment.Stuck, ConfirmBy: by, Held: true},
			"only what is owed",
		},
		{"approved by nobody", payment.State{Phase: payment.Approved, ConfirmBy: by}, "never said so"},
		{"confirmed, approved by nobody", payment.State{Phase: payment.Confirmed, ConfirmBy: by}, "never approved"},
		{"nothing at all", payment.State{}, ""},
		{
			"as it should be",
			payment.State{Phase: payment.Reversed, ConfirmBy: by, Attempts: 1, Reason: payment.PowerCut},
			"",
		},
	} {
		switch err := payment.Invariant(c.s); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// What is no event, or happens in a phase that there is not, changes nothing and does nothing.
func TestNoEventDecidesNothing(t *testing.T) {
	t.Parallel()
	for phase := payment.Phase(0); phase <= payment.Resolved+1; phase++ {
		s := payment.State{Phase: phase, ConfirmBy: payment.ByDelivery, Attempts: 1}
		if d := payment.Decide(s, nil); d.Record != (payment.Record{}) || len(d.After) > 0 || d.Soon {
			t.Errorf("%s: %+v", phase, d)
		}
	}
	beyond := payment.State{Phase: payment.Resolved + 1}
	if d := payment.Decide(beyond, payment.PowerUp{}); d.Record != (payment.Record{}) {
		t.Errorf("in no phase at all: %+v", d)
	}
}

// Every name is a name of its own, and what has none says its number: a journal from the future is
// still read.
func TestNamesAreTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	own := func(name string) {
		t.Helper()
		if name == "" || seen[name] {
			t.Errorf("%q is the name of two things", name)
		}
		seen[name] = true
	}
	for _, k := range payment.Kinds() {
		own("record " + k.String())
	}
	for _, p := range payment.Phases() {
		own("phase " + p.String())
	}
	for _, r := range payment.Reasons() {
		own("because " + r.String())
	}
	for _, o := range []payment.Outcome{payment.HostAnswer, payment.NotSent, payment.Unknown, 0} {
		own("told " + o.String())
	}
	for name, want := range map[string]string{
		payment.Kind(0).String():        "kind 0",
		payment.Kind(200).String():      "kind 200",
		payment.Reason(200).String():    "reason 200",
		payment.Phase(200).String():     "phase 200",
		payment.Phase(0).String():       "new",
		payment.ByApp.String():          "app",
		payment.ByDelivery.String():     "delivery",
		payment.Outcome(200).String():   "no outcome",
		payment.RecordDoubted.String():  "doubted",
		payment.LateApproval.String():   "late approval",
		payment.RecordDeclined.String(): "declined",
	} {
		if name != want {
			t.Errorf("%q, want %q", name, want)
		}
	}
}
