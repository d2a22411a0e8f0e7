package acquirer

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestBooksThatDoNotAddUpAreClosed spoils each side of the money behind the ledger's back: the next
// change notices, says nothing, and no later one is answered.
func TestBooksThatDoNotAddUpAreClosed(t *testing.T) {
	q := Question{
		MTI: "0200", Terminal: "T1", STAN: "000001", Amount: 100, Currency: "156", Account: "a",
		Codes: CodesFor("0200"),
	}
	for name, spoil := range map[string]func(*Ledger){
		"a card":               func(l *Ledger) { l.money.cards[purse{"a", "156"}]++ },
		"a terminal":           func(l *Ledger) { l.money.terminals[purse{"T1", "156"}]-- },
		"money for nobody":     func(l *Ledger) { l.money.cards[purse{"b", "156"}] = 1 },
		"an entry":             func(l *Ledger) { l.entries[1].Amount = 1 },
		"a state":              func(l *Ledger) { l.entries[1].State = StateReversed },
		"an approval undone":   func(l *Ledger) { l.entries[1].State = StateDeclined },
		"an entry in no state": func(l *Ledger) { l.entries[1].State = "" },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := OpenLedger("")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Ask(time.Unix(0, 0), q); err != nil {
				t.Fatal(err)
			}
			spoil(l)
			next := q
			next.STAN = "000002"
			if _, err := l.Ask(time.Unix(0, 0), next); !errors.Is(err, ErrUnbalanced) {
				t.Errorf("the next sale: %v", err)
			}
			if _, err := l.Ask(time.Unix(0, 0), q); !errors.Is(err, ErrLedgerDead) {
				t.Errorf("and the one after: %v", err)
			}
		})
	}
}

// TestFullDisk: what cannot be written is not said, and nothing is said afterwards.
func TestFullDisk(t *testing.T) {
	l, err := OpenLedger(t.TempDir() + "/books.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := l.file.file.Close(); err != nil {
		t.Fatal(err)
	}
	q := Question{MTI: "0200", Terminal: "T1", STAN: "000001", Codes: CodesFor("0200")}
	for range 2 {
		if r, err := l.Ask(time.Unix(0, 0), q); !errors.Is(err, ErrLedgerDead) {
			t.Errorf("answered %+v, %v", r, err)
		}
	}
	if len(l.order) != 0 {
		t.Error("booked in memory what is not on the disk")
	}
}

// TestLargeBooksAreCountedSeldom: of a thousand sales and more not each is followed by a count of
// all of them, and money that is missing is noticed before there are twice as many.
func TestLargeBooksAreCountedSeldom(t *testing.T) {
	l, err := OpenLedger("")
	if err != nil {
		t.Fatal(err)
	}
	sell := func(i int) error {
		_, err := l.Ask(time.Unix(0, 0), Question{
			MTI: "0200", Terminal: "T1", STAN: fmt.Sprintf("%06d", i), Amount: 100, Currency: "156",
			Account: "a", Codes: CodesFor("0200"),
		})
		return err
	}
	const sales = 1000
	for i := range sales {
		if err := sell(i); err != nil {
			t.Fatal(err)
		}
	}
	l.money.cards[purse{"a", "156"}]++
	noticed := 0
	for i := sales; i < 3*sales && err == nil; i++ {
		noticed++
		err = sell(i)
	}
	if !errors.Is(err, ErrUnbalanced) || noticed < 2 || noticed > sales {
		t.Errorf("after %d sales: %v", noticed, err)
	}
}
