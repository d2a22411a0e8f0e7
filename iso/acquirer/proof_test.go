package acquirer_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"reversald/iso"
	"reversald/iso/acquirer"
)

// TestMakeMAC: x9.9 and x9.19 are the examples of ISO 9797-1 (annex, algorithms 1 and 3, padding
// 1), aes-cmac those of RFC 4493, unionpay-ecb was made with OpenSSL block by block: the fold is
// 9A11612004C020C0; "9A116120" encrypted is 26A2C6F762C9730C; XOR "04C020C0" and encrypted again
// begins 8C03A551.
func TestMakeMAC(t *testing.T) {
	for _, test := range []struct{ algorithm, key, data, want string }{
		{"x9.9", "0123456789ABCDEFFEDCBA9876543210", hex.EncodeToString([]byte("Now is the time for all ")), "70a30640cc76dd8b"},
		{"x9.19", "0123456789ABCDEFFEDCBA9876543210", hex.EncodeToString([]byte("Now is the time for all ")), "a1c72e74ea3fa9b6"},
		{"unionpay-ecb", "0123456789ABCDEFFEDCBA9876543210", "0200302004C020C0981100000000000000005100", hex.EncodeToString([]byte("8C03A551"))},
		{"aes-cmac", "2b7e151628aed2a6abf7158809cf4f3c", "", "bb1d6929e95937287fa37d129b756746"},
		{"aes-cmac", "2b7e151628aed2a6abf7158809cf4f3c", "6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c"},
		{
			"aes-cmac", "2b7e151628aed2a6abf7158809cf4f3c",
			"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", "dfa66747de9ae63030ca32611497c827",
		},
	} {
		key, _ := hex.DecodeString(test.key)
		data, _ := hex.DecodeString(test.data)
		got, err := acquirer.MakeMAC(test.algorithm, key, data)
		if err != nil || hex.EncodeToString(got) != test.want {
			t.Errorf("%s: %x, %v, want %s", test.algorithm, got, err, test.want)
		}
	}
	if _, err := acquirer.MakeMAC("unionpay-sm4", tmk, nil); err == nil {
		t.Error("SM4 was made of something")
	}
	if _, err := acquirer.MakeMAC("x9.9", nil, nil); err == nil {
		t.Error("a code without a key")
	}
	if _, err := acquirer.NewVault(tmk[:8]); err == nil {
		t.Error("half a master key")
	}
}

// dialectsWithMAC are the built-in profiles whose messages carry codes.
func dialectsWithMAC(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range builtins(t) {
		if !profileNamed(t, name).MAC().None() {
			out = append(out, name)
		}
	}
	if len(out) < 2 {
		t.Fatalf("only %q", out)
	}
	return out
}

// TestWrongCodes: reversal rules 1.1 (A0) and 2.3 (an 0410 with a wrong code is no answer).
func TestWrongCodes(t *testing.T) {
	for _, test := range []struct {
		spec string
		want ending
		book acquirer.State
		sent int
	}{
		{"SALE:bad-mac", reversed, acquirer.StateReversed, 1},
		{"SALE:no-mac", reversed, acquirer.StateReversed, 1},
		{"SALE:silent; BACK:bad-mac x2", reversed, acquirer.StateReversed, 3},
		{"SALE:silent; BACK:no-mac x1", reversed, acquirer.StateReversed, 2},
		{"SALE:silent; BACK:decline=MAC x1", reversed, acquirer.StateReversed, 2},
	} {
		for _, name := range dialectsWithMAC(t) {
			t.Run(name+" "+test.spec, func(t *testing.T) {
				c := openTill(t, name, speak(name, test.spec))
				got, _ := c.pay(nil) // 39 and 25 of the reversal follow its type and trace number
				if got != test.want || len(c.sent) != test.sent {
					t.Fatalf("the till says %s, want %s; sent %q\n%s", got, test.want, c.sent, c.log)
				}
				c.books1(test.book)
				if name == "unionpay" && strings.HasPrefix(test.spec, "SALE:bad") && !strings.HasSuffix(c.sent[0], " A000") {
					t.Errorf("reason in %q, want A0", c.sent)
				}
				if strings.Contains(test.spec, "decline") && c.signed != 2 {
					t.Errorf("%d sign-ons", c.signed)
				}
			})
		}
	}
}

// TestSignOnBetweenPaymentAndReversal: failure catalogue 8. The keys are others by then, and so is
// the batch; the reversal has the new key's code and the old batch.
func TestSignOnBetweenPaymentAndReversal(t *testing.T) {
	for _, name := range dialectsWithMAC(t) {
		t.Run(name, func(t *testing.T) {
			c := openTill(t, name, speak(name, "SALE:silent"))
			got, original := c.pay(func() {
				c.vault.OpenBatch(2)
				c.vault.Forget()
			})
			if got != reversed || c.signed != 2 || len(c.sent) != 2 {
				t.Fatalf("%s after %d sign-ons, sent %q\n%s", got, c.signed, c.sent, c.log)
			}
			c.books1(acquirer.StateReversed)
			if name == "unionpay" && (c.batch != "000002" || original.Fields[60][2:8] != "000001" || c.entry(original.Fields[11]).Batch != "000001") {
				t.Errorf("batch %s, the original's is %s", c.batch, original.Fields[60])
			}
		})
	}
}

// TestNothingIsBookedWithoutACode: the bank is asked by somebody without the key.
func TestNothingIsBookedWithoutACode(t *testing.T) {
	for _, name := range dialectsWithMAC(t) {
		c := openTill(t, name, "")
		c.key = []byte("somebody else's!")
		body := c.sale()
		g, err := c.p.Glance(body)
		if err != nil {
			t.Fatal(err)
		}
		c.write(body, g.Class)
		answer, raw, _ := c.answer(g)
		if !c.p.WantsSignOn(raw) || c.p.Outcome(answer.Code) != iso.OutcomeDeclined {
			t.Errorf("%s: answered %q", name, answer.Code)
		}
		if books, err := c.Ledger().Books(acquirer.Filter{}); err != nil || len(books.Entries) != 0 {
			t.Errorf("%s: %v %+v", name, err, books.Entries)
		}
	}
}

// TestHeaderAsksForASignOn: the half byte of the processing request.
func TestHeaderAsksForASignOn(t *testing.T) {
	c := openTill(t, "unionpay", "0200:ask=3")
	if got, _ := c.pay(nil); got != paid || c.signed != 2 {
		t.Errorf("%s after %d sign-ons", got, c.signed)
	}
	c.books1(acquirer.StateDebited)
}

// TestLateApprovalIsNoAnswerToTheReversal: failure catalogue 4, in every dialect.
func TestLateApprovalIsNoAnswerToTheReversal(t *testing.T) {
	for _, name := range builtins(t) {
		c := openTill(t, name, speak(name, "SALE:late=5s; BACK:silent x1"))
		got, _ := c.pay(func() {
			c.until("the answer waits", func() bool { return c.clock.asked() == 1 })
			c.clock.move(5 * time.Second)
			c.until("the late answer is out", func() bool { return c.Stats().LateWaiting == 0 })
		})
		if got != reversed || len(c.sent) != 2 {
			t.Errorf("%s: %s, sent %q\n%s", name, got, c.sent, c.log)
		}
		c.books1(acquirer.StateReversed)
	}
}

// TestTraceNumbersWrap: failure catalogue 9, with the counter on its last numbers.
func TestTraceNumbersWrap(t *testing.T) {
	for _, name := range builtins(t) {
		for last := 999_993; last <= 999_999; last++ {
			c := openTill(t, name, speak(name, "SALE:silent; BACK:silent x2"))
			c.stan = last
			if got, _ := c.pay(nil); got != reversed || len(c.sent) != 3 || c.stan > 100 && last > 999_995 {
				t.Errorf("%s after %d: %s, sent %q", name, last, got, c.sent)
			}
			c.books1(acquirer.StateReversed)
		}
	}
}

// TestASecondPaymentInAnotherBatch: the same trace number in the next batch is another payment.
func TestASecondPaymentInAnotherBatch(t *testing.T) {
	c := openTill(t, "unionpay", "0200#2:silent")
	got, first := c.pay(nil)
	if got != paid {
		t.Fatal(got)
	}
	c.vault.OpenBatch(7)
	c.signOn()
	c.stan = 124 // the payment gets the trace number that the first one had
	if got, _ := c.pay(nil); got != reversed {
		t.Fatalf("%s\n%s", got, c.log)
	}
	books, err := c.Ledger().Books(acquirer.Filter{STAN: first.Fields[11]})
	if err != nil || len(books.Entries) != 2 || books.Entries[0].State != acquirer.StateDebited ||
		books.Entries[1].State != acquirer.StateReversed || books.Entries[1].Batch != "000007" {
		t.Errorf("%v %+v", err, books.Entries)
	}
}
