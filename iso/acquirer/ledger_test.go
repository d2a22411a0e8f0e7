package acquirer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/iso/acquirer"
)

var noon = time.Date(2026, 4, 22, 12, 0, 0, 0, time.UTC)

// sale is a plain purchase of 12.34; change adjusts it.
func sale(change ...func(*acquirer.Question)) acquirer.Question {
	q := acquirer.Question{
		MTI: "0200", Terminal: "T1", STAN: "000123", Date: "0422", Sent: "0422120000",
		Processing: "000000", Amount: 1234, Currency: "156", Card: "411111******1111",
		Account: "a1", Codes: acquirer.CodesFor("0200"),
	}
	for _, c := range change {
		c(&q)
	}
	return q
}

func reversal(change ...func(*acquirer.Question)) acquirer.Question {
	return sale(append([]func(*acquirer.Question){func(q *acquirer.Question) {
		q.Reversal, q.MTI = true, "0400"
	}}, change...)...)
}

func openLedger(t *testing.T, path string) *acquirer.Ledger {
	t.Helper()
	l, err := acquirer.OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func ask(t *testing.T, l *acquirer.Ledger, q acquirer.Question) acquirer.Reply {
	t.Helper()
	reply, err := l.Ask(noon, q)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func books(t *testing.T, l *acquirer.Ledger) acquirer.Books {
	t.Helper()
	b, err := l.Books(acquirer.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLedgerStories walks the rules of the books one by one.
func TestLedgerStories(t *testing.T) {
	amount := func(minor int64) func(*acquirer.Question) {
		return func(q *acquirer.Question) { q.Amount = minor }
	}
	set := func(f func(*acquirer.Question)) func(*acquirer.Question) { return f }
	for _, test := range []struct {
		name  string
		asks  []acquirer.Question
		codes string
		want  acquirer.State // of the first entry
		money int64          // debited in the end
	}{
		{
			"a sale is booked when it arrives",
			[]acquirer.Question{sale()},
			"00", acquirer.StateDebited, 1234,
		},
		{
			"the same sale again is answered as before and booked once",
			[]acquirer.Question{sale(), sale(), sale(set(func(q *acquirer.Question) { q.MTI = "0201" }))},
			"00 00 00", acquirer.StateDebited, 1234,
		},
		{
			"a reversal undoes it, its repeats do nothing more",
			[]acquirer.Question{sale(), reversal(), reversal(), reversal()},
			"00 00 00 00", acquirer.StateReversed, 0,
		},
		{
			"a reversal of something never seen is 25, again and again",
			[]acquirer.Question{reversal(), reversal()},
			"25 25", acquirer.StateNeverSeen, 0,
		},
		{
			"a request that arrives after its reversal is declined",
			[]acquirer.Question{reversal(), sale(), sale(), reversal()},
			"25 12 12 00", acquirer.StateDeclined, 0,
		},
		{
			"a request repeated after its reversal is declined too",
			[]acquirer.Question{sale(), reversal(), sale()},
			"00 00 12", acquirer.StateReversed, 0,
		},
		{
			"same key, other amount: 94, and the first stays",
			[]acquirer.Question{sale(), sale(amount(999)), sale(amount(999))},
			"00 94 94", acquirer.StateDebited, 1234,
		},
		{
			"reversing the one that was declined 94 leaves the first alone",
			[]acquirer.Question{sale(), sale(amount(999)), reversal(amount(999))},
			"00 94 00", acquirer.StateDebited, 1234,
		},
		{
			"a reversal with an amount nobody booked undoes nothing",
			[]acquirer.Question{sale(), reversal(amount(999))},
			"00 64", acquirer.StateDebited, 1234,
		},
		{
			"the same STAN on another day is another payment",
			[]acquirer.Question{sale(), sale(set(func(q *acquirer.Question) {
				q.Date, q.Sent = "0423", "0423120000"
			}))},
			"00 00", acquirer.StateDebited, 2468,
		},
		{
			"the same STAN in another batch is another payment",
			[]acquirer.Question{
				sale(set(func(q *acquirer.Question) { q.Date, q.Batch = "", "000001" })),
				sale(set(func(q *acquirer.Question) { q.Date, q.Batch = "", "000002" })),
				reversal(set(func(q *acquirer.Question) { q.Date, q.Sent, q.Batch = "", "", "000001" })),
			},
			"00 00 00", acquirer.StateReversed, 1234,
		},
		{
			"a reversal without date finds its original by terminal and STAN",
			[]acquirer.Question{sale(), reversal(set(func(q *acquirer.Question) {
				q.Date, q.Sent, q.Account = "", "", ""
			}))},
			"00 00", acquirer.StateReversed, 0,
		},
		{
			"a link field with another time is about something else",
			[]acquirer.Question{sale(), reversal(set(func(q *acquirer.Question) {
				q.Sent = "0422115959"
			})), sale()},
			"00 25 00", acquirer.StateDebited, 1234,
		},
		{
			"a declined sale moves no money, and its reversal is welcome",
			[]acquirer.Question{
				sale(set(func(q *acquirer.Question) { q.Refuse = "51" })), sale(), reversal(),
			},
			"51 51 00", acquirer.StateDeclined, 0,
		},
		{
			"a reversal refused undoes nothing",
			[]acquirer.Question{
				sale(), reversal(set(func(q *acquirer.Question) { q.Refuse = "96" })), reversal(),
			},
			"00 96 00", acquirer.StateReversed, 0,
		},
		{
			"booked, yet answered 96",
			[]acquirer.Question{sale(set(func(q *acquirer.Question) { q.Say = "96" }))},
			"96", acquirer.StateDebited, 1234,
		},
		{
			"an inquiry moves no money",
			[]acquirer.Question{sale(set(func(q *acquirer.Question) { q.Processing = "310000" }))},
			"00", acquirer.StateAnswered, 0,
		},
		{
			"another terminal's STAN is another payment",
			[]acquirer.Question{sale(), reversal(set(func(q *acquirer.Question) { q.Terminal = "T2" }))},
			"00 25", acquirer.StateDebited, 1234,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "books.jsonl")
			l := openLedger(t, path)
			var codes []string
			for _, q := range test.asks {
				codes = append(codes, ask(t, l, q).Code)
			}
			if got := strings.Join(codes, " "); got != test.codes {
				t.Errorf("codes %s, want %s", got, test.codes)
			}
			b := books(t, l)
			if got := b.Entries[0].State; got != test.want {
				t.Errorf("state %s, want %s", got, test.want)
			}
			if got := b.Balances["156"].Debited; got != test.money {
				t.Errorf("debited %d, want %d", got, test.money)
			}
			// What is on disk is what was in memory.
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(b, books(t, openLedger(t, path)),
				cmp.AllowUnexported(), cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
				t.Errorf("after restart (-before +after):\n%s", diff)
			}
		})
	}
}

// unexported leaves the fields that replay derives to the states they lead to.
func unexported(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && strings.ToLower(f.Name()[:1]) == f.Name()[:1]
}

func TestCreditsGoTheOtherWay(t *testing.T) {
	l := openLedger(t, "")
	refund := sale(func(q *acquirer.Question) { q.Processing = "200000" })
	ask(t, l, refund)
	hold := sale(func(q *acquirer.Question) { q.MTI, q.STAN = "0100", "000124" })
	ask(t, l, hold)
	got := books(t, l).Balances["156"]
	want := acquirer.Money{Debited: 1234, Held: 1234, Credited: 1234, Net: 0}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestRestartAnswersAsBefore: repeats are known across a restart, references stay the same.
func TestRestartAnswersAsBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.jsonl")
	l := openLedger(t, path)
	before := ask(t, l, sale())
	account := l.Account("4111111111111111")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Ask(noon, sale()); !errors.Is(err, acquirer.ErrLedgerDead) {
		t.Errorf("a closed ledger said %v", err)
	}
	l = openLedger(t, path)
	after := ask(t, l, sale())
	if before.RRN != after.RRN || before.Auth != after.Auth || before.RRN == "" {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if after.What != acquirer.WhatDoubled || books(t, l).Totals.Doubles != 1 {
		t.Errorf("not a double: %+v", after)
	}
	if got := l.Account("4111111111111111"); got != account || len(got) != 16 {
		t.Errorf("the account was %s and is %s", account, got)
	}
}

// TestTornLastLine: power went while a line was being written, at every byte of it.
func TestTornLastLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.jsonl")
	l := openLedger(t, path)
	ask(t, l, sale())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	one, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, path)
	ask(t, l, reversal())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(one); cut < len(two); cut++ {
		if err := os.WriteFile(path, two[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l := openLedger(t, path)
		if got := books(t, l).Entries[0].State; got != acquirer.StateDebited {
			t.Fatalf("cut at %d: state %s", cut, got)
		}
		if got := ask(t, l, reversal()); got.What != acquirer.WhatReversed {
			t.Fatalf("cut at %d: %+v", cut, got)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// A torn line longer than what is written over it leaves nothing behind.
	long := append(append([]byte{}, one...), strings.Repeat("x", 4000)...)
	if err := os.WriteFile(path, long, 0o600); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, path)
	if whole, err := os.ReadFile(path); err != nil || string(whole) != string(one) {
		t.Errorf("a torn line is still there: %d bytes, %v", len(whole), err)
	}
	ask(t, l, reversal())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l = openLedger(t, path); books(t, l).Totals.Reversed != 1 {
		t.Error("what was written over a torn line is lost")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The length reached the disk, the bytes did not.
	zeros := append(append([]byte{}, one...), append(make([]byte, 40), '\n')...)
	if err := os.WriteFile(path, zeros, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := books(t, openLedger(t, path)).Totals.Debited; got != 1 {
		t.Errorf("%d debited after a torn line of zeros", got)
	}
}

func TestBooksThatAreRefused(t *testing.T) {
	head := `{"format":"acquirer-books","version":1}` + "\n"
	reversed := `{"seq":1,"at":"2026-04-22T12:00:00Z","what":"reversed","entry":1,"mti":"0400",` +
		`"code":"00"}` + "\n"
	for name, text := range map[string]string{
		"not books":               "hello\nworld\n",
		"a newer version":         `{"format":"acquirer-books","version":2}` + "\n",
		"damage before the end":   head + "garbage\n" + reversed,
		"a reversal of nothing":   head + reversed,
		"a fact that is not next": head + strings.Replace(reversed, `"seq":1`, `"seq":7`, 1),
		"a fact of another time":  head + strings.Replace(reversed, "reversed", "teleported", 1),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "books.jsonl")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := acquirer.OpenLedger(path); !errors.Is(err, acquirer.ErrBooksUnreadable) {
				t.Errorf("got %v", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != text {
				t.Errorf("the file was changed: %q, %v", after, err)
			}
		})
	}
}

func TestBooksHaveOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.jsonl")
	openLedger(t, path)
	if _, err := acquirer.OpenLedger(path); !errors.Is(err, acquirer.ErrBooksLocked) {
		t.Errorf("got %v", err)
	}
}

// TestKeyIsNotMadeTwice: with a new key every account would get a new name, and a repeated request
// would look like another card's.
func TestKeyIsNotMadeTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.jsonl")
	l := openLedger(t, path)
	ask(t, l, sale())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + ".key"); err != nil {
		t.Fatal(err)
	}
	if _, err := acquirer.OpenLedger(path); err == nil {
		t.Error("opened without the key of its accounts")
	}
}
