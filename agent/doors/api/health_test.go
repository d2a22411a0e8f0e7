package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/hal"
)

// patient is an agent that answers as a test wants.
type patient struct {
	status agent.Status
	dead   error // what Alive and Status say
	hangs  bool  // they say nothing until they are left
}

func (p *patient) Alive(ctx context.Context) error {
	if p.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return p.dead
}

func (p *patient) Status(ctx context.Context) (agent.Status, error) {
	return p.status, p.Alive(ctx)
}

func inquire(p *patient, reloaded bool, path string) (status int, body string) {
	paths := api.Health(p, func() bool { return reloaded })
	w := httptest.NewRecorder()
	paths["GET "+path](w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// Rule: a line that is down is ready; an agent or a journal that does not answer is not, and the
// process is healthy all the same.
func TestReadyIsNotTheLine(t *testing.T) {
	for name, c := range map[string]struct {
		patient patient
		want    int
	}{
		"line up":              {patient{status: agent.Status{Link: "up"}}, http.StatusOK},
		"line down":            {patient{status: agent.Status{Link: "down"}}, http.StatusOK},
		"journal unreadable":   {patient{dead: errors.New("no page")}, http.StatusServiceUnavailable},
		"a sync that hangs":    {patient{hangs: true}, http.StatusServiceUnavailable},
		"agent that has ended": {patient{dead: agent.ErrStopped}, http.StatusServiceUnavailable},
	} {
		if got, body := inquire(&c.patient, true, "/readyz"); got != c.want {
			t.Errorf("%s: %d %s", name, got, body)
		}
		if got, _ := inquire(&c.patient, true, "/healthz"); got != http.StatusOK {
			t.Errorf("%s: health %d", name, got)
		}
	}
}

// Rule: every sample has its help and its type once, and says what the status says.
func TestMetricsSayWhatTheStatusSays(t *testing.T) {
	s := agent.Status{Link: "up", Owed: 3, Stuck: 2, Entries: 1_000_000}
	s.Counts.Records = map[string]uint64{"asked": 7, "reversal sent": 9}
	s.Clock, s.PowerFailing = "untrusted", true
	s.Certificates = []hal.Certificate{{Whose: "ours", Expires: time.Unix(1_900_000_000, 0)}}
	code, text := inquire(&patient{status: s}, false, "/metrics")
	if code != http.StatusOK {
		t.Fatal(code, text)
	}
	for _, want := range []string{
		"reversald_link_up 1", "reversald_pending 3", "reversald_stuck 2",
		"reversald_journal_entries 1e+06", "reversald_clock_trusted 0", "reversald_power_failing 1",
		"reversald_config_reload_ok 0", `reversald_records_total{record="asked"} 7`,
		`reversald_records_total{record="reversal sent"} 9`,
		`reversald_certificate_expires_seconds{whose="ours",n="0"} 1900000000`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
	types := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			types[strings.Fields(name)[0]]++
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		name := line[:strings.IndexAny(line, "{ ")]
		if types[name] != 1 {
			t.Errorf("%q has %d types before it", line, types[name])
		}
	}
	if code, _ := inquire(&patient{dead: agent.ErrStopped}, true, "/metrics"); code != http.StatusServiceUnavailable {
		t.Errorf("metrics of a dead agent: %d", code)
	}
}
