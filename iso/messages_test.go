package iso_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/iso"
)

// vector is one message written out element by element in testdata/messages: one element a line,
// in hexadecimal or as quoted text, then the field and its value.
type vector struct {
	profile string
	body    []byte
	header  []byte
	mti     string
	fields  map[int]string
	glance  map[string]string
}

func readVector(t testing.TB, file string) vector {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v := vector{fields: map[int]string{}, glance: map[string]string{}}
	for i, line := range strings.Split(string(text), "\n") {
		if what, ok := strings.CutPrefix(line, "glance "); ok {
			name, value, _ := strings.Cut(what, " ")
			v.glance[name] = value
			continue
		}
		if name, ok := strings.CutPrefix(line, "profile "); ok {
			v.profile = name
		}
		if i < 4 || line == "" {
			continue
		}
		wire, about, _ := strings.Cut(line, " | ")
		element := elementBytes(t, wire)
		v.body = append(v.body, element...)
		number, value, isField := strings.Cut(strings.TrimSpace(about), " = ")
		switch about = strings.TrimSpace(about); {
		case isField:
			n, err := strconv.Atoi(lastWord(number))
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			if plain, err := strconv.Unquote(value); err == nil {
				value = plain
			}
			v.fields[n] = value
		case about == "TPDU", strings.HasPrefix(about, "header"):
			v.header = append(v.header, element...)
		case about == "message type":
			v.mti = strings.Trim(strings.TrimSpace(wire), `"`)
		}
	}
	return v
}

func lastWord(s string) string { return s[strings.LastIndex(s, " ")+1:] }

// elementBytes reads `37 6222D` and `"16" "5413"`.
func elementBytes(t testing.TB, wire string) []byte {
	t.Helper()
	var out []byte
	for wire = strings.TrimSpace(wire); wire != ""; wire = strings.TrimSpace(wire) {
		if text, ok := strings.CutPrefix(wire, `"`); ok {
			text, rest, _ := strings.Cut(text, `"`)
			out, wire = append(out, text...), rest
			continue
		}
		word, rest, _ := strings.Cut(wire, " ")
		b, err := hex.DecodeString(word)
		if err != nil {
			t.Fatalf("element %q: %v", wire, err)
		}
		out, wire = append(out, b...), rest
	}
	return out
}

// What stands in messages made without this package is what Decode and Glance read and Compose
// writes.
func TestMessagesFromTheFieldTable(t *testing.T) {
	files, err := filepath.Glob("testdata/messages/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no messages", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			v := readVector(t, file)
			p := builtin(t, v.profile)
			m, err := p.Decode(v.body)
			if err != nil {
				t.Fatal(err)
			}
			want := iso.Message{MTI: v.mti, Header: v.header, Fields: v.fields}
			if diff := cmp.Diff(want.Fields, m.Fields); diff != "" || m.MTI != want.MTI ||
				string(m.Header) != string(want.Header) {
				t.Errorf("decoded %s %x, want %s %x\n%s", m.MTI, m.Header, want.MTI, want.Header, diff)
			}
			body, err := p.ComposeWith(m.Header, v.mti, v.fields)
			if err != nil {
				t.Fatal(err)
			}
			if string(body) != string(v.body) {
				t.Errorf("composed\n%X, want\n%X", body, v.body)
			}
			g := glance(t, p, v.body)
			got := map[string]string{
				"class": g.Class.String(), "key": g.Key, "original": g.OriginalKey, "code": g.Code,
				"amount": fmt.Sprint(g.AmountMinor), "terminal": g.Terminal, "rrn": g.RRN,
				"auth": g.Auth, "processing": g.Processing, "currency": g.Currency,
				"reversible": fmt.Sprint(g.Reversible),
			}
			for name, want := range v.glance {
				if got[name] != want {
					t.Errorf("glance: %s is %q, want %q", name, got[name], want)
				}
			}
		})
	}
}

// A profile is shared by everybody in the daemon.
func TestProfileMayBeShared(t *testing.T) {
	p := builtin(t, "iso87-bcd")
	want := everythingShown(p, compose(t, p, "0200", chipSale()))
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 50 {
				body, err := p.Compose("0200", chipSale())
				if err != nil || everythingShown(p, body) != want {
					t.Error("another result beside others", err)
					return
				}
			}
		}()
	}
	wg.Wait()
}
