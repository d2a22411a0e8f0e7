package iso_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/iso"
)

func described(p *iso.Profile, body []byte) string {
	var b strings.Builder
	for _, line := range p.Describe(body) {
		b.WriteString(line.String() + "\n")
	}
	return b.String()
}

func TestDescribe(t *testing.T) {
	p := builtin(t, "iso87-bcd")
	fields := chipSale()
	fields[2], fields[14] = "6222021234567890128", "2912"
	fields[44] = "6222 0212-3456 7890128\x1b[2"
	want := `
    0    -  header: 6000030000
    5    0  message type: 0200 payment
   15    2  card number: 622202*********0128
   26    3  processing code: 000000
   29    4  amount: 000000001234
   35   11  trace number: 000124
   38   14  expiry: (hidden, 4 digits)
   40   22  entry mode: 051
   42   23  card sequence number: 001
   44   25  condition code: 00
   45   35  track 2: (hidden, 37 digits)
   65   41  terminal: TERM0001
   73   42  merchant: MERCHANT0000001
   88   44  additional response data: **** ****-**** *******\x1b[2
  114   49  currency: 156
  117   52  PIN block: (hidden, 8 bytes)
  125   55  chip data: 5A=(hidden, 10 bytes) 57=(hidden, 18 bytes) 5F24=(hidden, 3 bytes) ` +
		`5F20=(hidden, 5 bytes) 9F26=010203040506A7B8 95=0000008000 9F10=07010103A0000001 9F36=0001 DF31=01
`
	if diff := cmp.Diff(want, "\n"+described(p, compose(t, p, "0200", fields))); diff != "" {
		t.Error(diff)
	}
	link := "0200" + "000123" + "0102030405" + "10000000987" + "00000000000"
	reversal := compose(t, p, "0400", map[int]string{4: "1234", 11: "124", 39: "68", 41: "T", 90: link})
	got := described(p, reversal)
	if want := "original data: 0200 000123 0102030405 10000000987 00000000000\n"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

// Half of it is better than nothing, and the offset says where the other half should be.
func TestDescribeOfGarbage(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	body := compose(t, p, "0200", map[int]string{3: "0", 4: "1234", 11: "123", 37: "413330089020", 41: "T"})
	want := `
    0    0  message type: 0200 payment
   20    3  processing code: 000000
   26    4  amount: 000000001234
   38   11  trace number: 000123
   44   37  retrieval reference: ************
   56   41  terminal: is cut short; 2 bytes from here on are not shown
`
	got := strings.ReplaceAll(described(p, body[:58]), ":  !! ", ": ")
	if diff := cmp.Diff(strings.ReplaceAll(want, "terminal: is", "terminal: !! is"), "\n"+got); diff != "" {
		t.Error(diff)
	}
	for _, garbage := range []string{"", "x", "0200", "\xff\xff\xff\xff", "0200zzzzzzzzzzzzzzzz", string(body) + "more"} {
		lines := p.Describe([]byte(garbage))
		if len(lines) == 0 || lines[len(lines)-1].Problem == "" {
			t.Errorf("%q: no problem shown: %v", garbage, lines)
		}
	}
}

// A field that cannot be, in a message that does not end where it should: what follows is not what it
// is taken for, and is not shown. In a message of the right length it is a bad field and no more.
func TestDescribeAfterAField(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	body := compose(t, p, "0200", map[int]string{11: "123", 18: "5999", 41: "TERM0001", 42: "CVV2=321", 49: "840"})
	body[26] = 'x' // in field 18
	if got := described(p, body); !strings.Contains(got, "terminal: TERM0001\n") {
		t.Errorf("fields after a bad one are not shown:\n%s", got)
	}
	got := described(p, body[:len(body)-1])
	if !strings.Contains(got, "merchant: (hidden, 15 characters)\n") || strings.Contains(got, "CVV2") {
		t.Errorf("fields that are somewhere else are shown:\n%s", got)
	}
}
