package api_test

import (
	"testing"
	"time"

	"reversald/agent/doors/api"
)

// Rule: every order of a person reaches the agent as that order, with the name and the reason.
func TestOrdersReachTheAgent(t *testing.T) {
	p := newPretended(1)
	client := api.NewClient(opens(t, p), 10*time.Second)
	ctx := t.Context()
	replayed, err := client.Replay(ctx, 1, "Li", "line is back")
	if err != nil || replayed.Held || p.replayed != "1 by Li: line is back" {
		t.Errorf("%+v %q %v", replayed, p.replayed, err)
	}
	held, err := client.Hold(ctx, 2, "Ann", "asked to wait")
	if err != nil || !held.Held || p.replayed != "2 by Ann: asked to wait" {
		t.Errorf("%+v %q %v", held, p.replayed, err)
	}
	released, err := client.Release(ctx, 2, "Ann", "")
	if err != nil || released.Reason != "released" {
		t.Errorf("%+v %v", released, err)
	}
	resolved, err := client.Resolve(ctx, 3, "Ann", "repaid by hand")
	if err != nil || resolved.Phase != "resolved" || p.replayed != "3 by Ann: repaid by hand" {
		t.Errorf("%+v %q %v", resolved, p.replayed, err)
	}
	if err := client.Command(ctx, "", "show 1"); err == nil {
		t.Error("a command of nobody was noted")
	}
	if err := client.Command(ctx, "Ann", "show 1"); err != nil {
		t.Error(err)
	}
}
