package iso_test

import (
	"testing"

	"reversald/iso"
)

// Whoever peeks learns the same as whoever glances, and nothing is allocated for it.
func TestPeekIsAGlance(t *testing.T) {
	for _, p := range bothBuiltins(t) {
		for mti, fields := range map[string]map[int]string{
			"0200": benchSale(),
			"0210": {11: "123", 37: "000000000042", 39: "00", 41: "TERM0001"},
			"0400": {3: "0", 4: "1", 11: "1", 39: "68", 41: "T", 90: "020000012301020304050000000000000000000000"},
			"0410": {11: "123", 39: "25", 41: "TERM0001"},
			"0800": {11: "1", 70: "301"},
		} {
			body := compose(t, p, mti, fields)
			room := make([]byte, 64)
			samePeek(t, p, body, room)
			if n := testing.AllocsPerRun(100, func() { _, _ = p.Peek(body, room) }); n != 0 {
				t.Errorf("%s: peeking at a %s allocates %v times", p.Name(), mti, n)
			}
			samePeek(t, p, body, nil)
			for cut := range body {
				samePeek(t, p, body[:cut], room)
			}
		}
	}
}

// samePeek fails if a peek and a glance at body differ.
func samePeek(t *testing.T, p *iso.Profile, body, room []byte) {
	t.Helper()
	g, gErr := p.Glance(body)
	v, vErr := p.Peek(body, room)
	if v.Class != g.Class || (vErr == nil) != (gErr == nil) && gErr == nil {
		t.Fatalf("a peek at %X is %v (%v), a glance %v (%v)", body, v.Class, vErr, g.Class, gErr)
	}
	if gErr == nil && (string(v.Key) != g.Key || string(v.Code) != g.Code) {
		t.Fatalf("a peek at %X is %q %q, a glance %q %q", body, v.Key, v.Code, g.Key, g.Code)
	}
}
