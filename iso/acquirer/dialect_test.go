package acquirer_test

import (
	"strings"
	"testing"

	"reversald/iso/acquirer"
)

// speak is the words of a dialect in a spec that is the same for all.
func speak(name, spec string) string {
	words := map[string][]string{
		"iso87-ascii": {"0200", "0400", "04xx", "68", "51", "91", "30", "A0"},
		"iso87-bcd":   {"0200", "0400", "04xx", "68", "51", "91", "30", "A0"},
		"unionpay":    {"0200", "0400", "04xx", "68", "51", "91", "30", "A0"},
		"as2805":      {"0200", "0420", "04xx", "68", "51", "91", "30", "98"},
		"iso93":       {"1200", "1420", "14xx", "911", "116", "907", "904", "916"},
	}[name]
	for i, word := range []string{"SALE", "FIRST", "BACK", "UNCLEAR", "NO", "LATER", "FORMAT", "MAC"} {
		spec = strings.ReplaceAll(spec, word, words[i])
	}
	return spec
}

// TestEveryDialectUnderFaults: whatever gets lost, no debit is left that the till does not know of.
func TestEveryDialectUnderFaults(t *testing.T) {
	tests := []struct {
		spec string
		want ending
		book acquirer.State
		sent int // reversals; 0: do not look
	}{
		{"", paid, acquirer.StateDebited, 0},
		{"SALE:silent", reversed, acquirer.StateReversed, 1},
		{"SALE:unbooked-silent", reversed, acquirer.StateNeverSeen, 1},
		{"SALE:twice", paid, acquirer.StateDebited, 0},
		{"SALE:wrong-stan", reversed, acquirer.StateReversed, 1},
		{"SALE:wrong-tid", reversed, acquirer.StateReversed, 1},
		{"SALE:wrong-mti", reversed, acquirer.StateReversed, 1},
		{"SALE:garbage", reversed, acquirer.StateReversed, 1},
		{"SALE:cut-before", reversed, acquirer.StateNeverSeen, 1},
		{"SALE:cut-booked", reversed, acquirer.StateReversed, 1},
		{"SALE:cut-middle", reversed, acquirer.StateReversed, 1},
		{"SALE:code=UNCLEAR", reversed, acquirer.StateReversed, 1},
		{"SALE:decline=NO", refused, acquirer.StateDeclined, 0},
		{"SALE:decline=LATER", refused, acquirer.StateDeclined, 0},
		{"SALE:silent; BACK:silent x2", reversed, acquirer.StateReversed, 3},
		{"SALE:silent; BACK:unbooked-silent x2", reversed, acquirer.StateReversed, 3},
		{"SALE:silent; BACK:decline=LATER x2", reversed, acquirer.StateReversed, 3},
		{"SALE:silent; BACK:twice", reversed, acquirer.StateReversed, 1},
		{"SALE:silent; BACK:wrong-stan x1", reversed, acquirer.StateReversed, 2},
		{"SALE:silent; BACK:wrong-mti x1", reversed, acquirer.StateReversed, 2},
		{"SALE:silent; BACK:cut-booked x1", reversed, acquirer.StateReversed, 2},
		{"SALE:silent; BACK:cut-middle x1", reversed, acquirer.StateReversed, 2},
		{"SALE:silent; BACK:garbage x2", reversed, acquirer.StateReversed, 3},
		{"SALE:silent; BACK:decline=FORMAT", stuck, acquirer.StateDebited, 1},
		{"SALE:silent; FIRST:decline=ZZ", stuck, acquirer.StateDebited, 1},
		{"SALE:unbooked-silent; BACK:silent x1", reversed, acquirer.StateNeverSeen, 2},
	}
	for _, name := range builtins(t) {
		for _, test := range tests {
			spec := speak(name, test.spec)
			if name == "iso93" {
				spec = strings.ReplaceAll(spec, "ZZ", "799")
			}
			t.Run(name+" "+spec, func(t *testing.T) {
				t.Parallel()
				c := openTill(t, name, spec)
				got, _ := c.pay(nil)
				if got != test.want {
					t.Fatalf("the till says %s, want %s\n%s", got, test.want, c.log)
				}
				c.books1(test.book)
				if test.sent > 0 && len(c.sent) != test.sent {
					t.Errorf("sent %q", c.sent)
				}
				noPAN(t, c.log.String())
			})
		}
	}
}

// openTill starts a bank with keys and a till that has signed on.
func openTill(t *testing.T, name, spec string) *till {
	t.Helper()
	vault, err := acquirer.NewVault(tmk)
	if err != nil {
		t.Fatal(err)
	}
	c := newTill(openWith(t, "", profileNamed(t, name), spec, vault))
	c.vault = vault
	if c.p.SignOn().AtLinkUp() {
		c.signOn()
	}
	return c
}

// books1 wants the one payment of the books to be in a state.
func (c *till) books1(want acquirer.State) {
	c.t.Helper()
	books, err := c.Ledger().Books(acquirer.Filter{})
	if err != nil {
		c.t.Fatal(err)
	}
	if len(books.Entries) != 1 || books.Entries[0].State != want {
		c.t.Errorf("the books say %+v, want %s", books.Entries, want)
	}
}

func noPAN(t *testing.T, text string) {
	t.Helper()
	for _, pan := range pans {
		if strings.Contains(text, pan) {
			t.Error("the log shows a card number")
		}
	}
}
