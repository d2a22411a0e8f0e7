package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/doors/api/client"
)

// reads takes so many events of a stream.
func reads(t *testing.T, in *bufio.Scanner, n int) (ids, kinds []string) {
	t.Helper()
	for len(ids) < n && in.Scan() {
		if id, ok := strings.CutPrefix(in.Text(), "id: "); ok {
			ids = append(ids, id)
		}
		if kind, ok := strings.CutPrefix(in.Text(), "event: "); ok {
			kinds = append(kinds, kind)
		}
	}
	if len(ids) < n {
		t.Fatalf("the stream ended after %v", ids)
	}
	return ids, kinds
}

// Rule: a reader gets each event once, goes on behind the last it had, and a quiet stream is kept
// alive by comments.
func TestEventsGoOnWhereTheyWere(t *testing.T) {
	p := newPretended(5)
	inBubble(t, p, func(c bubbled) {
		t := c.t
		if _, err := io.WriteString(c, "GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 2\r\nAuthorization: Bearer "+
			token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		in := bufio.NewScanner(resp.Body)
		if ids, _ := reads(t, in, 3); !slices.Equal(ids, []string{"3", "4", "5"}) {
			t.Errorf("ids %v", ids)
		}
		for want := 6; want < 10; want++ {
			go func() {
				time.Sleep(10 * time.Minute)
				p.grow()
			}()
			if ids, _ := reads(t, in, 1); ids[0] != fmt.Sprint(want) {
				t.Errorf("id %v, want %d", ids, want)
			}
		}
	})
}

// Rule: a reader of events that stops reading is dropped within seconds.
func TestAReaderOfEventsThatStopsIsDropped(t *testing.T) {
	p := newPretended(5000)
	inBubble(t, p, func(c bubbled) {
		t := c.t
		if _, err := io.WriteString(c, "GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 0\r\nAuthorization: Bearer "+
			token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		before := runtime.NumGoroutine()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n >= before {
			t.Errorf("%d goroutines, were %d", n, before)
		}
	})
}

// Rule: an app sees the events of its own payments, and asks whose one is once.
func TestAnAppSeesItsOwnEvents(t *testing.T) {
	p := newPretended(9) // payments 1, 4 and 7
	p.apps = map[uint64]string{1: "api token", 4: "api uid 7", 7: "api token"}
	a := newAsker(t, p, func(o *api.Options) { o.Access.TokenRole = api.RoleApp })
	conn, text := a.overTCP(token, "GET", "/v1/events")
	_ = conn
	if strings.Contains(string(text), "data:") {
		t.Errorf("from now on: %s", text)
	}
	p.mu.Lock()
	p.apps[10], p.apps[13], p.apps[16] = "api token", "api uid 7", "api token"
	p.mu.Unlock()
	var got []uint64
	for l := range a.streamOver(token, "/v1/events", func() {
		for range 9 { // payments 10, 13 and 16
			time.Sleep(10 * time.Millisecond)
			p.grow()
		}
	}) {
		got = append(got, l.ID)
		if l.ID == 16 {
			break
		}
	}
	if slices.Contains(got, 13) || !slices.Contains(got, 10) || !slices.Contains(got, 16) {
		t.Errorf("events of %v", got)
	}
	if p.asked > 4 {
		t.Errorf("asked %d times whose they are", p.asked)
	}
}

// streamOver yields the lines of a stream, and starts something as soon as it listens.
func (a *asker) streamOver(bearer, path string, started func()) iter.Seq[agent.Line] {
	return func(yield func(agent.Line) bool) {
		conn, err := net.Dial("tcp", a.tcp)
		if err != nil {
			a.t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path, bearer)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			a.t.Fatal(err)
		}
		go started()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var l agent.Line
			if err := json.Unmarshal([]byte(data), &l); err != nil {
				a.t.Fatal(err)
			}
			if !yield(l) {
				return
			}
		}
	}
}

// Rule: an app finds its own payments only, and everybody else finds all.
func TestAnAppLooksForItsOwn(t *testing.T) {
	p := newPretended(3)
	p.open = []agent.Payment{{ID: 1, Phase: "asked", App: "api token"}, {ID: 2, Phase: "asked", App: "api uid 7"}}
	a := newAsker(t, p, func(o *api.Options) { o.Access.TokenRole = api.RoleApp })
	_, text := a.overTCP(token, "GET", "/v1/payments")
	if !strings.Contains(string(text), `"id":1`) || strings.Contains(string(text), `"id":2`) {
		t.Errorf("an app lists %s", text)
	}
	a.overTCP(token, "GET", "/v1/payments?key=k&stan=000001&terminal=T&before=9&limit=3")
	if want := (agent.Query{App: "api token", Key: "k", STAN: "000001", Terminal: "T", Before: 9, Limit: 3}); p.looked != want {
		t.Errorf("looked for %+v", p.looked)
	}
	if resp, _ := a.overTCP(token, "GET", "/v1/payments/2"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another's: %d", resp.StatusCode)
	}
	a.overTCP(token, "POST", "/v1/payments/2/confirm")
	if p.decidedFor != "api token" {
		t.Errorf("confirmed for %q", p.decidedFor)
	}
	if resp, _ := a.ask("GET", "/v1/payments/2", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("an operator: %d", resp.StatusCode)
	}
	a.ask("POST", "/v1/payments/2/confirm", "")
	if p.decidedFor != "" {
		t.Errorf("an operator confirms for %q", p.decidedFor)
	}
	for _, bad := range []string{"state=lost", "limit=0", "limit=501", "before=x", "stan=1&stan=2", "colour=red", "key=" + strings.Repeat("x", 65)} {
		if resp, _ := a.ask("GET", "/v1/payments?"+bad, ""); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, resp.StatusCode)
		}
	}
}

// Rule: package client knows every member that the door sends, under the same name.
func TestTheClientKnowsWhatIsSent(t *testing.T) {
	skipped := []string{"held", "in_flight", "ahead", "host", "attempts", "overdue", "next_in", "confirms", "app", "instance"}
	for name, pair := range map[string][2]reflect.Type{
		"payment": {reflect.TypeFor[api.Payment](), reflect.TypeFor[client.Payment]()},
		"problem": {reflect.TypeFor[api.Problem](), reflect.TypeFor[client.Problem]()},
	} {
		sent, known := members(pair[0]), members(pair[1])
		for _, member := range sent {
			if !slices.Contains(known, member) && !slices.Contains(skipped, member) {
				t.Errorf("%s: the client does not know %s", name, member)
			}
		}
		for _, member := range known {
			if !slices.Contains(sent, member) {
				t.Errorf("%s: nobody sends %s", name, member)
			}
		}
	}
}

func members(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous {
			names = append(names, members(f.Type)...)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// Rule: users and groups are read as they are written, and nothing else is.
func TestWhoIsWho(t *testing.T) {
	for text, want := range map[string]api.Who{
		"uid:0": {UID: 0, GID: -1}, "gid:20": {UID: -1, GID: 20}, "any": {UID: -1, GID: -1},
	} {
		if got, err := api.ParseWho(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "uid:", "uid:-1", "uid:x", "1000", "pos", "uid:99999999999", "any:1"} {
		if _, err := api.ParseWho(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "127.9.9.9:1": true, "localhost:1": false, "0.0.0.0:1": false,
		"192.168.0.1:1": false, ":1": false, "[::]:1": false, "x": false,
	} {
		if got := api.CheckLoopback(address) == nil; got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}
