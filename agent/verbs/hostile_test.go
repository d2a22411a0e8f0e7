package verbs_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"reversald/agent"
	"reversald/agent/verbs"
)

// evil is what a host, an app or a person may have written: escape sequences of seven and eight
// bits, a bell, a carriage return, direction marks, a tag, and bytes that are no UTF-8.
const evil = "x\x1b]0;owned\x07\x1b[2J\r\n\u009b31m\u202ereversed\u200b<script>alert(1)</script>\xff\x00\x7f%s"

// obeys finds what a terminal would do something about.
func obeys(text string) string {
	for _, line := range strings.Split(text, "\n") {
		if !utf8.ValidString(line) {
			return line
		}
		for _, r := range line {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x200b {
				return line
			}
		}
	}
	return ""
}

// TestNothingFromOutsideReachesTheScreen: every text of every answer is hostile.
func TestNothingFromOutsideReachesTheScreen(t *testing.T) {
	for _, lang := range []verbs.Lang{verbs.English, verbs.Chinese} {
		c := shop(t)
		for id, story := range c.stories {
			for i := range story {
				l := &story[i]
				l.App, l.Host, l.Terminal, l.STAN, l.Card, l.Why = evil, evil, evil, evil, evil, evil
				l.By, l.Code, l.Reason, l.MTI, l.Currency, l.RRN = evil, evil, evil, evil, evil, evil
				if id == 40 && i == 2 {
					l.Kind = evil
				}
			}
		}
		for i := range c.open {
			p := &c.open[i]
			p.Terminal, p.STAN, p.Card, p.Currency, p.Cause = evil, evil, evil, evil, evil
			p.Code, p.Reason, p.Host, p.RRN = evil, evil, evil, evil
		}
		c.status.LinkNote, c.status.Rebuilt, c.status.Version, c.status.Host = evil, evil, evil, evil
		c.status.Profile, c.status.Overrides, c.status.Journal = evil, []string{evil}, evil
		for i := range c.frames {
			c.frames[i].Fields = append(c.frames[i].Fields, agent.FrameField{Name: evil, Value: evil})
		}
		for _, words := range []string{
			"status", "link", "open", "stuck", "ready-to-remove", "top --once", "tail -n 99", "doctor",
			"tail -n 9 -o hex", "show 1", "show 40", "show 1 --hex", "show 10 --entries", "why 1", "why 10",
			"why 30", "why 37 --json", "show 10 --json", "tail -n 99 --json", "status --json", "open --json",
		} {
			var out bytes.Buffer
			said := strings.Fields(words)
			s := session(c, &out, lang)
			s.Config.Socket, s.Config.Journal = evil, t.TempDir()+"/journal.db"
			_ = verbs.Find(said[0]).Do(t.Context(), s, said[1:])
			if line := obeys(out.String()); line != "" {
				t.Errorf("%s in %s: %q", words, lang, line)
			}
			if out.Len() == 0 {
				t.Errorf("%s in %s says nothing", words, lang)
			}
			if strings.Contains(words, "json") && !json.Valid(bytes.TrimSpace(lastLine(out.Bytes()))) {
				t.Errorf("%s: no JSON: %q", words, out.String())
			}
		}
		for _, word := range verbs.Find("show").Complete(t.Context(), session(c, &bytes.Buffer{}, lang)) {
			if _, about, _ := strings.Cut(word, "\t"); obeys(about) != "" {
				t.Errorf("Tab offers %q", word)
			}
		}
	}
}

func lastLine(text []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return lines[len(lines)-1]
}

// TestAPageIsOnlyText: what came from outside is no tag and no script in the printable page.
func TestAPageIsOnlyText(t *testing.T) {
	c := shop(t)
	story := c.stories[1]
	ev := agent.Evidence{V: 1, ID: 1, By: evil, Software: evil, Profile: evil, Frames: c.frames}
	for _, l := range story {
		l.Why, l.Host, l.App, l.Card = evil, evil, evil, evil
		ev.Entries = append(ev.Entries, agent.EvidenceEntry{Line: l, Raw: []byte{1}, Before: "00"})
	}
	ev.Notes = map[string]string{evil: evil}
	text, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	c.bundle = agent.Bundle{Evidence: text, PublicKey: evil, Signature: evil}
	for _, form := range []string{"text", "html", "json"} {
		var out bytes.Buffer
		err := verbs.Find("evidence").Do(t.Context(), session(c, &out, verbs.English), []string{"1", "-o", form})
		if err != nil {
			t.Fatal(err)
		}
		if line := obeys(out.String()); line != "" {
			t.Errorf("%s: %q", form, line)
		}
		if form == "html" && (strings.Contains(out.String(), "<script") ||
			!strings.Contains(out.String(), "&lt;script&gt;")) {
			t.Errorf("a script in the page:\n%s", out.String())
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		"plain, 中文, é, 😀":    "plain, 中文, é, 😀",
		"\x1b[31mred":        `\x1b[31mred`,
		"a\nb\r\t\x00\x7f":   `a\x0ab\x0d\x09\x00\x7f`,
		"\u009b\u202e\ufeff": `\u009b\u202e\ufeff`,
		"\xff\xc3":           `\xff\xc3`,
		"\ufffd stays":       "\ufffd stays",
		"\U000e0041":         `\U000e0041`,
	} {
		if got := verbs.Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if again := verbs.Clean(want); again != want {
			t.Errorf("%q is not clean", want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add(evil)
	f.Fuzz(func(t *testing.T, text string) {
		got := verbs.Clean(text)
		for _, r := range got {
			if r < 0x20 || r >= 0x7f && r < 0xa0 {
				t.Fatalf("%q became %q", text, got)
			}
		}
		if !utf8.ValidString(got) || verbs.Clean(got) != got {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

// FuzzWrap: nothing is lost but blanks where a line ends, and no line is too long.
func FuzzWrap(f *testing.F) {
	f.Add("the quick brown fox 敏捷的棕色狐狸，跳过。", 10, 2)
	f.Add("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b", 20, 8)
	f.Fuzz(func(t *testing.T, text string, width, indent int) {
		width, indent = 20+abs(width)%100, abs(indent)%10
		text = verbs.Clean(text)
		got := verbs.Wrap(text, width, indent)
		for _, line := range strings.Split(got, "\n") {
			if verbs.Columns(line) > width {
				t.Fatalf("%d columns of %d: %q", verbs.Columns(line), width, line)
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(got) != squeeze(text) {
			t.Fatalf("%q became %q", text, got)
		}
		if cut := verbs.Cut(text, width); verbs.Columns(cut) > width {
			t.Fatalf("cut to %q", cut)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

// FuzzParse: whatever is typed, it is read or refused.
func FuzzParse(f *testing.F) {
	f.Add("tail -f --state=stuck -n5 -- -x")
	f.Add("hold 1 --reason")
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Fields(line)
		s := session(&told{}, &bytes.Buffer{}, verbs.English)
		for _, v := range verbs.All() {
			in, err := v.Parse(s, words)
			if err != nil && obeys(err.Error()) != "" {
				t.Fatalf("%q: %v", line, err)
			}
			_ = in.Number("lines")
		}
	})
}
