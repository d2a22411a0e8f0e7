package acquirer

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzReadFacts: no bytes in a books file panic, and what was accepted as whole is accepted again.
func FuzzReadFacts(f *testing.F) {
	head := `{"format":"acquirer-books","version":1}` + "\n"
	question := `"question":{"mti":"0200","terminal":"T1","stan":"000001","amount_minor":1234}`
	booked := `{"seq":1,"at":"2026-04-22T12:00:00Z","what":"booked","entry":1,"mti":"0200",` +
		`"code":"00","rrn":"1","auth":"2",` + question + "}\n"
	second := strings.NewReplacer(`"seq":1`, `"seq":2`, "booked", "reversed", "0200", "0400")
	f.Add([]byte(head))
	f.Add([]byte(head + booked))
	f.Add([]byte(head + booked + second.Replace(booked)))
	f.Add([]byte(head + strings.Replace(booked, "booked", "never-seen", 1) +
		strings.NewReplacer(`"seq":1`, `"seq":2`, "booked", "too-late").Replace(booked)))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := OpenLedger("")
		if err != nil {
			t.Fatal(err)
		}
		good, err := readFacts(bytes.NewReader(text), l.apply)
		if err != nil {
			return
		}
		again, err := OpenLedger("")
		if err != nil {
			t.Fatal(err)
		}
		length, err := readFacts(bytes.NewReader(text[:good]), again.apply)
		if err != nil || length != good || again.seq != l.seq {
			t.Fatalf("%d bytes and fact %d, then %d and %d: %v", good, l.seq, length, again.seq, err)
		}
	})
}
