package api

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"reversald/agent"
)

// Vitals is what this door needs of the agent to say how it is.
type Vitals interface {
	Status(ctx context.Context) (agent.Status, error)
	Alive(ctx context.Context) error
}

// aliveTime is how long the agent may take to answer before it counts as stuck: a commit on slow
// flash takes a tenth of a second.
const aliveTime = 2 * time.Second

// WithHealth adds to the API what supervisors and collectors ask.
//
//	GET /healthz   200 while the process answers
//	GET /readyz    200 while agent and journal answer too. A line that is down is ready: what the
//	               terminal owes is on file, and a restart would bring it no nearer to the host
//	GET /metrics   counters and gauges in the text format of Prometheus
func WithHealth(rest http.Handler, vitals Vitals, reloads func() (good bool)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), aliveTime)
		defer cancel()
		if err := vitals.Alive(ctx); err != nil {
			plain(w, http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
			return
		}
		plain(w, http.StatusOK, "ready\n")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), aliveTime)
		defer cancel()
		s, err := vitals.Status(ctx)
		if err != nil {
			plain(w, http.StatusServiceUnavailable, "no status: "+err.Error()+"\n")
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		metrics(w, s, reloads())
	})
	mux.Handle("/", rest)
	return mux
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a reader that is gone needs no answer
}

// metrics writes a status as samples. Names and labels are stable; no value is of a card, a payment
// or a person.
func metrics(w io.Writer, s agent.Status, reloaded bool) {
	gauge := func(name, help string, value float64) {
		fmt.Fprintf(w, "# HELP reversald_%s %s\n# TYPE reversald_%s gauge\nreversald_%s %s\n",
			name, help, name, name, number(value))
	}
	counter := func(name, help string, value uint64) {
		fmt.Fprintf(w, "# HELP reversald_%s %s\n# TYPE reversald_%s counter\nreversald_%s %d\n",
			name, help, name, name, value)
	}
	gauge("link_up", "1 while the host is connected", truth(s.Link == "up"))
	gauge("open", "payments that are not closed", float64(s.Open))
	gauge("pending", "reversals being sent", float64(s.Owed))
	gauge("overdue", "of those, older than the limit", float64(s.Overdue))
	gauge("held", "of those, stopped by a person", float64(s.Held))
	gauge("stuck", "payments that need a person", float64(s.Stuck))
	gauge("waiting", "payments that may not go out yet", float64(s.Waiting))
	gauge("journal_entries", "entries on file, forgotten ones included", float64(s.Entries))
	gauge("journal_faults", "faults the check in the background found", float64(s.Faults))
	gauge("journal_damaged", "open payments damaged in both files", float64(s.Damaged))
	gauge("clock_trusted", "1 while the clock can be believed", truth(s.Clock == "trusted"))
	gauge("power_failing", "1 while the power is failing", truth(s.PowerFailing))
	gauge("config_reload_ok", "0 after a reload that was refused", truth(reloaded))
	counter("strays_total", "answers that belonged to nothing", s.Counts.Strays)
	counter("refused_total", "messages of apps that were not carried", s.Counts.Refused)
	counter("turned_away_total", "payments that waited in vain", s.Counts.TurnedAway)
	const records = "reversald_records_total"
	fmt.Fprintf(w, "# HELP %s journal entries of payments since the start\n# TYPE %s counter\n",
		records, records)
	for _, kind := range slices.Sorted(maps.Keys(s.Counts.Records)) {
		fmt.Fprintf(w, "%s{record=%q} %d\n", records, kind, s.Counts.Records[kind])
	}
	const expires = "reversald_certificate_expires_seconds"
	if len(s.Certificates) > 0 {
		fmt.Fprintf(w, "# HELP %s Unix time at which it ends\n# TYPE %s gauge\n", expires, expires)
	}
	for i, c := range s.Certificates {
		fmt.Fprintf(w, "%s{whose=%q,n=\"%d\"} %d\n", expires, c.Whose, i, c.Expires.Unix())
	}
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
