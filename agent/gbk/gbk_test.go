package gbk_test

import (
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"reversald/agent/gbk"
)

// Rule: our table is GBK's, as far as it goes, in both directions.
func TestTheTableIsGBK(t *testing.T) {
	known := 0
	for lead := 0x81; lead <= 0xfe; lead++ {
		for trail := 0x40; trail <= 0xfe; trail++ {
			ours, ok := gbk.Rune(byte(lead), byte(trail))
			if !ok {
				continue
			}
			known++
			theirs, err := simplifiedchinese.GBK.NewDecoder().Bytes([]byte{byte(lead), byte(trail)})
			if err != nil || string(theirs) != string(ours) {
				t.Errorf("%02x%02x is %q, x/text says %q, %v", lead, trail, ours, theirs, err)
			}
			if back := gbk.Encode([]byte(string(ours))); string(back) != string([]byte{byte(lead), byte(trail)}) {
				t.Errorf("%q goes out as %x, came in as %02x%02x", ours, back, lead, trail)
			}
		}
	}
	if known != 7445 {
		t.Errorf("%d characters, GB 2312 has 7445", known)
	}
	if got := string(gbk.Encode([]byte("a€\U0001F600\xff"))); got != "a???" {
		t.Errorf("what is not in it is %q", got)
	}
}
