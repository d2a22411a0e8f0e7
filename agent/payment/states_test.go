package payment_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"reversald/agent/payment"
)

var update = flag.Bool("update", false, "rewrite STATES.md and the stories")

// TestStatesTable keeps STATES.md equal to what the code decides.
func TestStatesTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Every phase against every event\n\n" +
		"Generated from `Decide` and `Apply` (`go test ./agent/payment -run States -update`).\n" +
		"`record → phase: effects`; *soon* means nobody waits for the record. " +
		"What is not listed changes nothing.\n\n" +
		"`Ask` reads \"confirmed by delivery\" where it matters; a payment the app confirms " +
		"itself is marked (app).\n")
	for _, s := range startingStates() {
		fmt.Fprintf(&b, "\n## %s\n\n| event | decision |\n|---|---|\n", title(s))
		events := append(allEvents(), payment.PowerUp{}, payment.PowerUp{KeepUnconfirmed: true})
		for _, e := range events {
			d := payment.Decide(s, e)
			if d.Record == (payment.Record{}) && len(d.After) == 0 {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s |\n", describe(e), decision(s, d))
		}
	}
	golden(t, "STATES.md", b.String())
}

// startingStates is one state of each phase, and the two ways an approval is confirmed.
func startingStates() []payment.State {
	states := []payment.State{{}}
	for _, p := range payment.Phases() {
		s := payment.State{Phase: p, ConfirmBy: payment.ByDelivery, Attempts: 1}
		states = append(states, s)
		if p == payment.Approved {
			s.ConfirmBy = payment.ByApp
			states = append(states, s)
		}
		if p == payment.Doubted {
			s.Held = true
			states = append(states, s)
		}
	}
	return states
}

func title(s payment.State) string {
	if s.ConfirmBy == payment.ByApp {
		return s.Phase.String() + " (app)"
	}
	if s.Held {
		return s.Phase.String() + " (held)"
	}
	return s.Phase.String()
}

func describe(e payment.Event) string {
	name := fmt.Sprintf("%T", e)[len("payment."):]
	if up, ok := e.(payment.PowerUp); ok && up.KeepUnconfirmed {
		name += " (keep unconfirmed)"
	}
	if ask, ok := e.(payment.Ask); ok {
		name += " (confirmed by " + ask.ConfirmBy.String() + ")"
	}
	return name
}

func decision(s payment.State, d payment.Decision) string {
	var parts []string
	text := "nothing written"
	if d.Record.Kind != 0 {
		text = d.Record.Kind.String()
		if d.Record.Reason != 0 {
			text += " (" + d.Record.Reason.String() + ")"
		}
		if d.Soon {
			text += " *soon*"
		}
		text += " → " + payment.Apply(s, d.Record).Phase.String()
	}
	for _, effect := range d.After {
		name := fmt.Sprintf("%T", effect)[len("payment."):]
		if tell, ok := effect.(payment.TellApp); ok {
			name += " " + tell.Outcome.String()
		}
		parts = append(parts, name)
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is out of date; run go test with -update and read the diff\n%s", file, got)
	}
}
