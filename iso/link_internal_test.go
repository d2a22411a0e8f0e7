package iso

import (
	"strings"
	"testing"
)

// Every link that names a payment says which trace number it names, and time where it has one; what
// is no link says nothing, and nothing panics.
func TestEveryLinkNamesItsOriginal(t *testing.T) {
	o := Original{MTI: "0200", Fields: map[int]string{
		fieldSTAN: "000123", fieldSent: "0301090000", fieldTime: "260301090000", fieldDate: "0301",
		fieldAcquirer: "00000000001", fieldForwarder: "123456789012", fieldBatch: "22000001003",
	}}
	times := map[string]map[int]string{
		"de90": {fieldSent: "0301090000"}, "de56": {fieldTime: "260301090000"},
	}
	for name, l := range links {
		if l.part == nil {
			if l.names {
				t.Errorf("%s names a payment, and nobody can read which", name)
			}
			continue
		}
		v := l.build(o, nil)
		if got := l.part(v, fieldSTAN); got != "000123" {
			t.Errorf("%s: %q names trace number %q", name, v, got)
		}
		for n, want := range times[name] {
			if got := l.part(v, n); got != want {
				t.Errorf("%s: %q names %q in field %d", name, v, got, n)
			}
		}
		for _, n := range []int{fieldAmount, fieldTerminal, 0, 200} {
			if got := l.part(v, n); got != "" {
				t.Errorf("%s: %q names %q in field %d", name, v, got, n)
			}
		}
		blank := l.build(Original{MTI: "0200", Fields: map[int]string{}}, nil)
		if got := l.part(blank, fieldSTAN); got != "" {
			t.Errorf("%s of an original without a trace number: %q names %q", name, blank, got)
		}
		for _, garbage := range []string{"", "0", v[1:], strings.Repeat("A", len(v)), strings.Repeat("é", 9)} {
			if garbage == v[1:] && len(v) > linkLen {
				continue
			}
			if got := l.part(garbage, fieldSTAN); got == "000123" {
				t.Errorf("%s: garbage %q names %q", name, garbage, got)
			}
		}
	}
}

// What is longer than its place is not known, rather than cut: it would name another payment.
func TestWhatDoesNotFitALinkIsNotKnown(t *testing.T) {
	long := Original{MTI: "0200", Fields: map[int]string{
		fieldSTAN: "1234567", fieldAcquirer: "123456789012", fieldBatch: "22",
	}}
	for name, l := range links {
		v := l.build(long, nil)
		if strings.Contains(v, "123456") || strings.Contains(v, "234567") {
			t.Errorf("%s: %q", name, v)
		}
	}
}
