package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/store"
)

// description is openapi.yaml as a tree.
type description struct {
	t    *testing.T
	root map[string]any
	seen map[string]bool // "METHOD /path status" that a test has exercised
}

func describes(t *testing.T) *description {
	t.Helper()
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := &description{t: t, seen: map[string]bool{}}
	if err := yaml.Unmarshal(text, &d.root); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows a path of keys, and references on the way.
func (d *description) at(from any, keys ...string) any {
	node := d.resolve(from)
	for _, key := range keys {
		m, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		node = d.resolve(m[key])
	}
	return node
}

func (d *description) resolve(node any) any {
	for {
		m, ok := node.(map[string]any)
		if !ok {
			return node
		}
		ref, ok := m["$ref"].(string)
		if !ok {
			return node
		}
		node = d.at(d.root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		if node == nil {
			d.t.Fatalf("%s leads nowhere", ref)
		}
	}
}

// operations are all that is described, as "METHOD /path".
func (d *description) operations() []string {
	var all []string
	for path, item := range d.at(d.root, "paths").(map[string]any) {
		for method := range item.(map[string]any) {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// promised are all statuses of all operations, as "METHOD /path status".
func (d *description) promised() []string {
	var all []string
	for _, op := range d.operations() {
		method, path, _ := strings.Cut(op, " ")
		responses := d.at(d.root, "paths", path, strings.ToLower(method), "responses")
		for status := range responses.(map[string]any) {
			all = append(all, op+" "+status)
		}
	}
	slices.Sort(all)
	return all
}

// checks an answer of the server against what is described for it.
func (d *description) checks(op string, resp *http.Response, body []byte) {
	d.t.Helper()
	op = plain(op)
	method, path, _ := strings.Cut(op, " ")
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	status := fmt.Sprint(resp.StatusCode)
	described := d.at(d.root, "paths", path, strings.ToLower(method), "responses", status)
	if described == nil {
		d.t.Errorf("%s: status %s is not described: %s", op, status, body)
		return
	}
	d.seen[op+" "+status] = true
	schema := d.at(described, "content", kind, "schema")
	if schema == nil {
		d.t.Errorf("%s %s: content type %q is not described", op, status, kind)
		return
	}
	var values []string
	switch kind {
	case "application/yaml":
		return
	case "text/plain":
		if d.at(schema, "type") != "string" || len(body) == 0 {
			d.t.Errorf("%s %s: %q", op, status, body)
		}
		return
	case "application/json", "application/problem+json":
		values = []string{string(body)}
	case "application/x-ndjson":
		values = strings.Split(strings.TrimSpace(string(body)), "\n")
	case "text/event-stream":
		for line := range strings.Lines(string(body)) {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				values = append(values, data)
			}
		}
	}
	if len(values) == 0 {
		d.t.Errorf("%s %s: nothing to check in %q", op, status, body)
	}
	for _, text := range values {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			d.t.Errorf("%s %s: %v in %q", op, status, err, text)
			continue
		}
		for _, fault := range d.faults(schema, value, "answer") {
			d.t.Errorf("%s %s: %s in %s", op, status, fault, text)
		}
	}
}

// faults says how a value differs from its schema. It knows the words of JSON Schema that
// openapi.yaml uses, and fails on any other, so that none is silently ignored.
func (d *description) faults(schema, value any, where string) []string {
	s, ok := d.resolve(schema).(map[string]any)
	if !ok {
		return []string{where + ": no schema"}
	}
	var faults []string
	add := func(format string, args ...any) {
		faults = append(faults, where+": "+fmt.Sprintf(format, args...))
	}
	for word, want := range s {
		switch word {
		case "description", "default", "additionalProperties", "unevaluatedProperties":
		case "type":
			if !isA(value, want.(string)) {
				add("is no %s: %v", want, value)
			}
		case "enum":
			if !slices.Contains(want.([]any), value) {
				add("%v is not one of %v", value, want)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(want.(string)).MatchString(text) {
				add("%q does not match %s", text, want)
			}
		case "format":
			text, _ := value.(string)
			if _, err := time.Parse(time.RFC3339, text); err != nil || want != "date-time" {
				add("%q is no %s", text, want)
			}
		case "minLength", "maxLength":
			n := len([]rune(fmt.Sprint(value)))
			if bound := want.(int); word == "minLength" && n < bound || word == "maxLength" && n > bound {
				add("has %d characters, %s %d", n, word, bound)
			}
		case "minimum", "maximum":
			n, _ := value.(float64)
			if bound := float64(want.(int)); word == "minimum" && n < bound || word == "maximum" && n > bound {
				add("is %v, %s %v", n, word, bound)
			}
		case "required":
			for _, name := range want.([]any) {
				if m, ok := value.(map[string]any); ok && m[name.(string)] == nil {
					add("has no %s", name)
				}
			}
		case "items":
			items, _ := value.([]any)
			for i, item := range items {
				faults = append(faults, d.faults(want, item, fmt.Sprintf("%s[%d]", where, i))...)
			}
		case "properties":
			faults = append(faults, d.members(s, want.(map[string]any), value, where)...)
		default:
			d.t.Fatalf("the checker does not know the word %q", word)
		}
	}
	return faults
}

// members checks the members of an object, and that there are no others where none are allowed.
func (d *description) members(s, known map[string]any, value any, where string) []string {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	var faults []string
	for name, member := range object {
		switch schema, ok := known[name]; {
		case ok:
			faults = append(faults, d.faults(schema, member, where+"."+name)...)
		case s["additionalProperties"] == false || s["unevaluatedProperties"] == false:
			faults = append(faults, where+": "+name+" is not described")
		}
	}
	return faults
}

func isA(value any, kind string) bool {
	switch kind {
	case "object":
		_, ok := value.(map[string]any)
		return ok
	case "array":
		_, ok := value.([]any)
		return ok
	case "string":
		_, ok := value.(string)
		return ok
	case "boolean":
		_, ok := value.(bool)
		return ok
	case "integer":
		n, ok := value.(float64)
		return ok && n == float64(int64(n))
	}
	return false
}

// Rule: what is described is there, what is there is described, and every status that is promised
// comes, with a body as it is described.
func TestTheServerIsAsItIsDescribed(t *testing.T) {
	d := describes(t)
	p := newPretended(3)
	wanted := d.operations()
	journal := &verdicts{}
	withJournal := func(o *api.Options) { o.Journal = journal }
	got := api.New(p, proving(journal)).Routes()
	slices.Sort(got)
	if !slices.Equal(wanted, got) {
		t.Fatalf("described: %v\nserved: %v", wanted, got)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	in := agent.Countdown(time.Second)
	full := agent.Payment{
		ID: 1, Phase: "approved", App: "api uid 0", Key: "k", Ref: "r", Terminal: "T", Merchant: "M",
		STAN: "000001", RRN: "1", Auth: "A", Amount: 1, Currency: "840", Card: "411111******1111",
		Since: at, Host: "h:1", Reason: "cancelled", Code: "00", Cause: "c", Attempts: 1, Overdue: true,
		NextIn: &in, Confirms: true, ConfirmBy: &at, Answer: []byte("x"), Chip: "91", Replayed: true,
		Warnings: []agent.Warning{{Rail: "zero", Text: "one zero too many?"}},
	}
	for i := range p.entries {
		p.entries[i].Time = at
	}
	p.closed, p.open = []agent.Payment{full}, []agent.Payment{{ID: 4, Phase: "stuck", Since: at}}
	asker := newAsker(t, p, withJournal)
	bodies := map[string]string{
		"sell":   `{"amount":1,"currency":"840","pan":"4111111111111111","terminal":"T"}`,
		"order":  `{"by":"Li","why":"x"}`,
		"broken": `{"by":`,
	}
	ask := func(op, id, body string, headers ...string) {
		t.Helper()
		method, path, _ := strings.Cut(op, " ")
		resp, text := asker.ask(method, strings.ReplaceAll(path, "{id}", id), body, headers...)
		d.checks(op, resp, text)
	}
	const sell, find, one = "POST /v1/payments", "GET /v1/payments", "GET /v1/payments/{id}"
	p.outcome = full
	ask(sell, "", bodies["sell"])
	p.outcome.Replayed = false
	ask(sell, "", bodies["sell"])
	for kind := agent.RefusedMessage; kind <= agent.RefusedTakenBack; kind++ {
		refusal := &agent.Refusal{Kind: kind, Field: 4, ID: 7, Why: "too long"}
		if kind == agent.RefusedGuard {
			refusal.Rail, refusal.Code = "amount", "13"
		}
		p.refusal = refusal
		ask(sell, "", bodies["sell"])
	}
	p.refusal = nil
	ask(sell, "", bodies["broken"])
	ask(sell, "", bodies["sell"], "Idempotency-Key", "")
	ask(sell, "", bodies["sell"], "Content-Type", "text/plain")
	ask(sell, "", strings.Repeat(" ", 1<<20))
	ask(find, "", "")
	ask(find+"?state=closed&limit=5", "", "")
	ask(one, "1", "")
	ask(one, "x", "")
	ask(one, "99", "")
	const slip = "GET /v1/payments/{id}/slip"
	ask(slip+"?lang=both&width=24", "4", "")
	ask(slip, "1", "") // approved: there is nothing to print
	ask(slip, "99", "")
	for _, bad := range []string{"?lang=fr", "?width=23", "?width=65", "?width=x", "?lang=en&lang=zh", "?x=1"} {
		ask(slip+bad, "4", "")
	}
	for _, verb := range []string{"confirm", "cancel"} {
		op := "POST /v1/payments/{id}/" + verb
		for id, body := range map[string]string{"1": "", "2": "{}", "404": "", "409": "", "x": "", "3": bodies["broken"]} {
			ask(op, id, body)
		}
	}
	for _, verb := range []string{"replay", "resolve", "hold", "release"} {
		op := "POST /v1/payments/{id}/" + verb
		for id, body := range map[string]string{"1": bodies["order"], "404": bodies["order"], "409": bodies["order"], "3": bodies["broken"]} {
			ask(op, id, body)
		}
	}
	for _, op := range []string{"GET /v1/payments/{id}/frames", "GET /v1/payments/{id}/evidence"} {
		for _, id := range []string{"1", "x", "404"} {
			ask(op, id, "")
		}
	}
	for _, what := range []string{"show 1", "often", "full"} {
		ask("POST /v1/commands", "", `{"by":"Li","what":"`+what+`"}`)
	}
	ask("POST /v1/commands", "", bodies["broken"])
	ask("GET /v1/events", "", "", "Last-Event-ID", "x")
	ask("GET /v1/events", "", "", "Last-Event-ID", "0")
	ask("GET /v1/journal", "", "")
	ask("GET /v1/journal?max=x", "", "")
	for _, journal.err = range []error{store.ErrBusy, store.ErrClosed, nil} {
		ask("GET /v1/journal/verify", "", "")
	}
	ask("GET /v1/status", "", "")
	ask("GET /v1/openapi.yaml", "", "")
	ask(find+"?limit=x", "", "")

	p.mu.Lock()
	p.broken = fmt.Errorf("entry 2 is damaged")
	p.mu.Unlock()
	ask(one, "1", "")
	ask("GET /v1/payments/{id}/frames", "1", "")
	ask("GET /v1/payments/{id}/evidence", "1", "")
	p.mu.Lock()
	p.broken, p.stopped = nil, true
	p.mu.Unlock()
	for _, op := range wanted {
		if op != "GET /v1/openapi.yaml" && op != "GET /v1/journal" && op != "GET /v1/events" &&
			op != "GET /v1/journal/verify" {
			body := ""
			if strings.HasPrefix(op, "POST") && !strings.Contains(op, "/con") && !strings.Contains(op, "can") {
				body = bodies["order"]
			}
			if op == sell {
				body = bodies["sell"]
			}
			if op == "POST /v1/commands" {
				body = `{"by":"Li","what":"x"}`
			}
			ask(op, "1", body)
		}
	}
	asker.fillsTheStreams(func(op string) { ask(op, "", "") })
	for _, peer := range []string{"", strings.Repeat("x", 20)} {
		for _, op := range wanted {
			method, path, _ := strings.Cut(op, " ")
			resp, text := asker.overTCP(peer, method, strings.ReplaceAll(path, "{id}", "1"))
			d.checks(op, resp, text)
		}
	}
	nobody := newAsker(t, p, withJournal, func(o *api.Options) { o.Access.TokenRole = api.RoleNone })
	for _, op := range wanted {
		method, path, _ := strings.Cut(op, " ")
		resp, text := nobody.overTCP(token, method, strings.ReplaceAll(path, "{id}", "1"))
		d.checks(op, resp, text)
	}
	for _, promise := range d.promised() {
		if !d.seen[promise] {
			t.Errorf("%s is described, and never came", promise)
		}
	}
}

// verdicts is a journal that is proven at once, or not.
type verdicts struct{ err error }

func (v *verdicts) Verify(_ context.Context, each func(store.Progress) error) (store.Verdict, error) {
	if v.err != nil {
		return store.Verdict{}, v.err
	}
	return store.Verdict{Open: []uint64{1}, Lost: []store.Range{{First: 1, Last: 2}}}, each(store.Progress{Entry: 1, Last: 2})
}

// plain is an operation without its query.
func plain(op string) string {
	op, _, _ = strings.Cut(op, "?")
	return op
}

// Rule: the checker finds what differs.
func TestTheCheckerFindsWhatDiffers(t *testing.T) {
	d := describes(t)
	schema := d.at(d.root, "components", "schemas", "Payment")
	good := map[string]any{
		"id": 1.0, "phase": "asked", "outcome": "unknown", "text": "x", "terminal": "", "stan": "",
		"next": map[string]any{"do": "wait", "text": "x"}, "amount": 1.0, "attempts": 0.0,
		"since": "2026-03-01T09:00:00Z", "card": "411111******1111",
	}
	if faults := d.faults(schema, good, ""); len(faults) > 0 {
		t.Errorf("a good one: %v", faults)
	}
	for name, bad := range map[string]any{
		"id": 1.5, "phase": "lost", "outcome": nil, "text": "", "amount": "1", "since": "now",
		"card": "4111111111111111", "unheard": 1.0, "next": map[string]any{"do": "run", "text": "x"},
	} {
		spoilt := maps.Clone(good)
		spoilt[name] = bad
		if len(d.faults(schema, spoilt, "")) == 0 {
			t.Errorf("%s: %v is taken", name, bad)
		}
	}
}

// asker asks one door, over a Unix socket and over TCP.
type asker struct {
	t      *testing.T
	socket string
	tcp    string
}

func newAsker(t *testing.T, p *pretended, changes ...func(*api.Options)) *asker {
	t.Helper()
	o := options
	for _, change := range changes {
		change(&o)
	}
	door := api.New(p, o)
	a := &asker{t: t, socket: t.TempDir() + "/s"}
	ctx, stop := context.WithCancel(context.Background())
	var listeners [2]net.Listener
	var err error
	if listeners[0], err = net.Listen("unix", a.socket); err != nil {
		t.Fatal(err)
	}
	if listeners[1], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	a.tcp = listeners[1].Addr().String()
	ended := make(chan error, 2)
	for _, l := range listeners {
		go func() { ended <- api.Serve(ctx, l, door) }()
	}
	t.Cleanup(func() {
		stop()
		for range listeners {
			if err := <-ended; err != nil {
				t.Errorf("the server ended: %v", err)
			}
		}
	})
	return a
}

// ask sends a request over the Unix socket; headers come in pairs and replace the usual ones.
func (a *asker) ask(method, path, body string, headers ...string) (*http.Response, []byte) {
	a.t.Helper()
	conn, err := net.Dial("unix", a.socket)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.over(conn, method, path, body, headers...)
}

func (a *asker) overTCP(bearer, method, path string) (*http.Response, []byte) {
	a.t.Helper()
	conn, err := net.Dial("tcp", a.tcp)
	if err != nil {
		a.t.Fatal(err)
	}
	var headers []string
	if bearer != "" {
		headers = []string{"Authorization", "Bearer " + bearer}
	}
	return a.over(conn, method, path, "", headers...)
}

// over asks over one connection. Of a stream it takes what comes in a short while.
func (a *asker) over(
	conn net.Conn, method, path, body string, headers ...string,
) (*http.Response, []byte) {
	a.t.Helper()
	defer conn.Close()
	req, err := http.NewRequest(method, "http://x"+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "key-1")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _ = req.Write(conn) }() // it may be answered before it is over
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	if resp.Header.Get("Content-Type") == "text/event-stream" {
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		text, _ := io.ReadAll(resp.Body)
		return resp, text
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, text
}

// fillsTheStreams follows until there is no place left, and asks for one more of each.
func (a *asker) fillsTheStreams(ask func(op string)) {
	a.t.Helper()
	const streams = 16
	for range streams {
		conn, err := net.Dial("unix", a.socket)
		if err != nil {
			a.t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			a.t.Fatal(err)
		}
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
			a.t.Fatal(err)
		}
	}
	ask("GET /v1/events")
	ask("GET /v1/journal?follow=true")
}
