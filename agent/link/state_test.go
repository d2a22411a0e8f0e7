package link_test

import (
	"strings"
	"testing"

	"reversald/agent/link"
)

// Rule: the drawing at State is the whole truth: every state and every event.
func TestEveryStateAndEveryEvent(t *testing.T) {
	const (
		down, dialling, signingOn = link.Down, link.Dialling, link.SigningOn
		up, draining              = link.Up, link.Draining
	)
	table := []struct {
		state link.State
		// after Dial, Connected, SignedOn, Lost, Stop
		after [5]link.State
	}{
		{down, [5]link.State{dialling, down, down, down, draining}},
		{dialling, [5]link.State{dialling, signingOn, dialling, down, draining}},
		{signingOn, [5]link.State{signingOn, signingOn, up, down, draining}},
		{up, [5]link.State{up, up, up, down, draining}},
		{draining, [5]link.State{draining, draining, draining, draining, draining}},
	}
	events := []link.Event{link.Dial, link.Connected, link.SignedOn, link.Lost, link.Stop}
	for _, row := range table {
		for i, event := range events {
			if got := link.Next(row.state, event); got != row.after[i] {
				t.Errorf("%s, event %d: %s, want %s", row.state, event, got, row.after[i])
			}
		}
	}
}

// Every state has a name of its own, and what is none says so.
func TestStatesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for s := link.Down; s <= link.Draining; s++ {
		seen[s.String()] = true
	}
	if len(seen) != 5 || !strings.Contains(link.State(0).String(), "0") {
		t.Errorf("names: %v, %s", seen, link.State(0))
	}
}
