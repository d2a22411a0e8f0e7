package verbs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/verbs"
)

var update = flag.Bool("update", false, "rewrite the golden texts")

// told is an agent that has said everything beforehand. What it was ordered is kept.
type told struct {
	status  api.Status
	open    []agent.Payment
	stories map[uint64][]agent.Line
	frames  []agent.Frame
	bundle  agent.Bundle
	err     error
	ordered []string
}

func (c *told) Status(context.Context) (api.Status, error) { return c.status, c.err }

func (c *told) Payments(_ context.Context, state string) ([]agent.Payment, error) {
	some := []agent.Payment{}
	for _, p := range c.open {
		if state == "" || p.Phase == state {
			some = append(some, p)
		}
	}
	return some, c.err
}

func (c *told) Payment(_ context.Context, id uint64) (api.Story, error) {
	story := api.Story{Entries: c.stories[id]}
	for i := range c.open {
		if c.open[i].ID == id {
			story.Payment = api.Payment{Payment: c.open[i]}
		}
	}
	if story.Phase == "" && len(story.Entries) == 0 {
		return story, fmt.Errorf("%w: there is no payment %d on file", api.ErrRefused, id)
	}
	return story, c.err
}

func (c *told) Journal(_ context.Context, query string, each func(agent.Line) error) error {
	var all []agent.Line
	for seq := uint64(1); seq < 100; seq++ {
		for _, story := range c.stories {
			for _, l := range story {
				if l.Seq == seq {
					all = append(all, l)
				}
			}
		}
	}
	n := len(all)
	_, _ = fmt.Sscanf(query, "last=%d", &n)
	for _, l := range all[max(0, len(all)-n):] {
		if err := each(l); err != nil {
			return err
		}
	}
	return c.err
}

// Lines gives what Journal does, as it comes over the socket, two at a time.
func (c *told) Lines(ctx context.Context, query string, each func(lines []byte) error) error {
	var lines []byte
	err := c.Journal(ctx, query, func(l agent.Line) error {
		e, err := l.Encode()
		before := len(lines)
		lines = append(append(lines, e.JSON...), '\n')
		if err != nil || before == 0 {
			return err
		}
		defer func() { lines = lines[:0] }()
		return each(lines)
	})
	if err != nil || len(lines) == 0 {
		return err
	}
	return each(lines)
}

func (c *told) Frames(context.Context, uint64) ([]agent.Frame, error) { return c.frames, c.err }

func (c *told) Evidence(context.Context, uint64, string) (agent.Bundle, error) {
	return c.bundle, c.err
}

func (c *told) order(what string, id uint64, by, why string) (agent.Payment, error) {
	c.ordered = append(c.ordered, fmt.Sprintf("%s %d by %s: %s", what, id, by, why))
	return agent.Payment{ID: id, Phase: "doubted"}, c.err
}

func (c *told) Replay(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order("replay", id, by, why)
}

func (c *told) Hold(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order("hold", id, by, why)
}

func (c *told) Release(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order("release", id, by, why)
}

func (c *told) Resolve(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order("resolve", id, by, why)
}

// noon is when the people of these tests look at the terminal.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// entries reads lines of JSON, which is how they come over the socket; each gets its number, its
// payment and its time.
func entries(t *testing.T, from, id uint64, lines ...string) []agent.Line {
	t.Helper()
	var all []agent.Line
	for i, text := range lines {
		var l agent.Line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		l.Seq, l.ID, l.Chain = from+uint64(i), id, "0123456789abcdef"
		l.Time = noon.Add(-time.Hour + time.Duration(i)*time.Minute)
		all = append(all, l)
	}
	return all
}

func asked(stan string) string {
	return `{"kind":"asked","app":"127.0.0.1:5000","host":"10.0.0.1:8583","terminal":"TERM0001",` +
		`"stan":"` + stan + `","mti":"0200","amount":5500,"currency":"156","card":"411111******1111"}`
}

func payment(id uint64, phase string, more func(*agent.Payment)) agent.Payment {
	p := agent.Payment{
		ID: id, Phase: phase, Terminal: "TERM0001", STAN: fmt.Sprintf("%06d", id), Amount: 5500,
		Currency: "156", Card: "411111******1111", Since: noon.Add(-time.Hour), Host: "10.0.0.1:8583",
	}
	more(&p)
	return p
}

func in(d time.Duration) *agent.Countdown {
	c := agent.Countdown(d)
	return &c
}

const (
	doubted = `{"kind":"doubted","reason":"no answer in time"}`
	sent    = `{"kind":"reversal sent","attempt":1,"host":"10.0.0.1:8583"}`
)

// shop has a payment of every kind.
func shop(t *testing.T) *told {
	t.Helper()
	c := &told{stories: map[uint64][]agent.Line{}}
	c.status.About = api.About{
		Version: "v1.2.3", PID: 42, Listen: "127.0.0.1:8582", Socket: "/run/reversald.sock",
		Journal: "/var/lib/reversald/journal.db", Overrides: []string{"any_filesystem"},
		Hosts: []string{"10.0.0.1:8583", "10.0.0.2:8583"},
	}
	c.status.Status = agent.Status{
		Profile: "unionpay", Started: "2026-03-01T08:00:00Z", Link: "up", Host: "10.0.0.1:8583",
		LinkSince: noon.Add(-2 * time.Hour), HeardAgo: in(95 * time.Second), Open: 7, Owed: 4, Overdue: 1,
		Held: 1, Stuck: 2, Entries: 60, Checked: 60, Size: 1 << 20, SizeMax: 64 << 20,
	}
	tell := func(p agent.Payment, story ...string) {
		c.stories[p.ID] = entries(t, p.ID, p.ID, append([]string{asked(p.STAN)}, story...)...)
		c.open = append(c.open, p)
	}
	tell(payment(1, "stuck", func(p *agent.Payment) {
		p.Code, p.Cause, p.Reason = "58", "the host refuses the reversal: 58 Terminal", "no answer in time"
	}), doubted, sent, `{"kind":"stuck","code":"58","why":"the host refuses the reversal: 58 Terminal"}`)
	tell(payment(5, "stuck", func(p *agent.Payment) { p.Cause = "both copies damaged" }),
		`{"kind":"damaged","why":"entry 6: gone in both files"}`,
		`{"kind":"stuck","why":"both copies damaged"}`)
	tell(payment(10, "doubted", func(p *agent.Payment) {
		p.Reason, p.Attempts, p.NextIn, p.Overdue = "link dropped", 5, in(83*time.Second), true
		p.Code = "96"
	}), `{"kind":"doubted","reason":"link dropped"}`, sent,
		`{"kind":"reversal answered","code":"96"}`, sent, `{"kind":"reversal answered","code":"96"}`, sent,
		`{"kind":"reversal answered","code":"96"}`, sent, `{"kind":"reversal unsent","attempt":4}`, sent, sent)
	tell(payment(25, "doubted", func(p *agent.Payment) {
		p.Reason, p.Attempts, p.NextIn, p.InFlight = "power cut", 1, in(28*time.Second), true
	}), `{"kind":"approved","code":"00","kept":{"code":"00","rrn":"261123000005"}}`,
		`{"kind":"doubted","reason":"power cut"}`, sent)
	tell(payment(30, "doubted", func(p *agent.Payment) {
		p.Reason, p.Attempts, p.Held = "cancelled", 1, true
	}), `{"kind":"doubted","reason":"cancelled"}`, sent,
		`{"kind":"held","by":"Li Wei","why":"the host asks for it"}`)
	tell(payment(35, "doubted", func(p *agent.Payment) {
		p.Reason, p.NextIn, p.Ahead = "unclear code", in(0), 2
	}), `{"kind":"doubted","reason":"unclear code"}`)
	tell(payment(37, "asked", func(*agent.Payment) {}))
	c.stories[40] = entries(t, 40, 40, asked("000040"), doubted, sent, sent, sent, sent, sent, sent,
		`{"kind":"stuck","code":"58","why":"x"}`, `{"kind":"replayed","by":"ann","why":"mended"}`,
		`{"kind":"late answer","code":"00","approves":true}`, `{"kind":"released","by":"ann"}`,
		`{"kind":"reversed","code":"25"}`)
	c.stories[60] = entries(t, 60, 60, asked("000060"), `{"kind":"unsent"}`)
	c.stories[70] = entries(t, 70, 70, asked("000070"), `{"kind":"declined","code":"51"}`)
	c.frames = []agent.Frame{
		{Seq: 1, What: agent.FrameRequest, Problem: "its fields are not on file"},
		{
			Seq: 3, What: agent.FrameReversal, MTI: "0400", Hex: strings.Repeat("343131313*3*", 12),
			Fields: []agent.FrameField{
				{Field: 0, Name: "message type", Value: "0400 reversal"},
				{Field: 2, Name: "card number", Value: "411111******1111"},
			},
		},
	}
	return c
}

func session(c verbs.Client, out *bytes.Buffer, lang verbs.Lang) *verbs.Session {
	return &verbs.Session{
		Out: out, Lang: lang, Width: 80, Height: 24, Who: "tester", Client: c, Zone: time.UTC,
		Now: func() time.Time { return noon },
		Config: &agent.Config{
			Host: []string{"10.0.0.1:8583", "10.0.0.2:8583"},
			Support: agent.Support{
				Name: "ACME", Phone: "+86 10 1234", Email: "desk@acme.example",
				Steps: []string{"Look at the cable", strings.Repeat("Read the display aloud. ", 6)},
			},
		},
	}
}

// TestGoldenTexts: what every verb says, in both languages, on a screen of 80 columns.
func TestGoldenTexts(t *testing.T) {
	down := func(c *told) {
		c.status.Link, c.status.Host, c.status.HeardAgo = "down", "", nil
		c.status.LinkNote = "dial tcp 10.0.0.1:8583: connect: no route to host"
	}
	for _, scene := range []struct {
		name   string
		change func(*told)
		words  []string
	}{
		{"status", nil, []string{"status"}},
		{"link", nil, []string{"link"}},
		{"link-down", down, []string{"link", "why 10", "status"}},
		{"lists", nil, []string{"open", "stuck"}},
		{"lists-empty", func(c *told) { c.open = nil }, []string{"open", "stuck", "ready-to-remove"}},
		{"show", nil, []string{"show 1", "show 10", "show 40", "show 60", "show 70", "show 99"}},
		{"show-raw", nil, []string{"show 1 --entries", "show 1 --hex", "show 25 --json"}},
		{"why", nil, []string{"why 1", "why 5", "why 10", "why 25", "why 30", "why 35", "why 37", "why 40"}},
		{"why-json", nil, []string{"why 10 --json", "why 30 --json", "link --json", "ready-to-remove --json"}},
		{"tail", nil, []string{
			"tail -n 3", "tail --stan 000010", "tail --state stuck,held", "tail --rrn 261123000005 -n 2",
			"tail --mti 0400 -n 2 -o hex", "tail --code 25 -o json", "tail --since 2026-03-01T11:10 -n 99",
			"tail --state open -n 1", "tail --since 50m --terminal TERM0001 -n 1",
		}},
		{"top", nil, []string{"top --once"}},
		{"ready", nil, []string{"ready-to-remove"}},
		{"support", nil, []string{"support", "support --json"}},
		{"orders", nil, []string{
			"replay 1", "replay all --reason mended", "hold 10 --reason 'x'", "hold 10", "release 30",
			"resolve 1 --reason=done", "resolve 1", "replay 1 --json",
		}},
		{"usage", nil, []string{
			"show", "show x", "show 1 2", "status now", "tail -n many", "tail --state flying",
			"tail --since yesterday", "tail -o xml", "tail --frm", "top --pause 1ms", "tail -f=maybe",
			"evidence 1 -o pdf", "tail --lines",
		}},
	} {
		for _, lang := range []verbs.Lang{verbs.English, verbs.Chinese} {
			c := shop(t)
			if scene.change != nil {
				scene.change(c)
			}
			var out bytes.Buffer
			for _, words := range scene.words {
				said := strings.Fields(words)
				fmt.Fprintf(&out, "> %s\n", words)
				err := verbs.Find(said[0]).Do(t.Context(), session(c, &out, lang), said[1:])
				if err != nil {
					fmt.Fprintf(&out, "! %v\n", err)
				}
			}
			for _, order := range c.ordered {
				fmt.Fprintf(&out, "ordered: %s\n", order)
			}
			fits(t, scene.name+" in "+lang.String(), out.String())
			golden(t, scene.name+"."+lang.String()+".txt", out.Bytes())
		}
	}
}

// fits checks that a screen of 80 columns shows every line whole, and obeys none.
func fits(t *testing.T, what, text string) {
	t.Helper()
	raw := "" // of the verb that is being said
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "> ") && strings.HasPrefix(line[2:], strings.ToLower(line[2:])) {
			raw = line
		}
		// JSON, and entries, which people search through, are lines as long as they are.
		long := strings.Contains(raw, "json") || strings.Contains(raw, "tail") || strings.Contains(raw, "entries")
		if n := verbs.Columns(line); n > 80 && !long && !strings.HasPrefix(line, "! ") {
			t.Errorf("%s: %d columns: %s", what, n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
			t.Errorf("%s: a line that a screen obeys: %q", what, line)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o750), os.WriteFile(path, got, 0o600)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: run with -update and read the diff:\n%s", name, got)
	}
}
