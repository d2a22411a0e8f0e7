package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func goodSale(st *stage) error {
	_, err := st.sell("25.00")
	return err
}

func silentHost(st *stage) error {
	if err := st.behave("0200:silent x1"); err != nil {
		return err
	}
	_, err := st.sell("12.34")
	return err
}

func cutAnswer(st *stage) error {
	if err := st.behave("0200:cut-middle x1"); err != nil {
		return err
	}
	_, err := st.sell("7.80")
	return err
}

// killedAsking: the host has booked the debit, nobody has an answer, and the power goes.
func killedAsking(st *stage) error {
	if err := st.behave("0200:silent x1"); err != nil {
		return err
	}
	sale := st.beginSale("40.00")
	if err := st.waitHost(sale.stan, "debited"); err != nil {
		return err
	}
	st.kill()
	if err := sale.wait(); err != nil {
		return err
	}
	return st.restart()
}

// killedTelling: the app has frozen and does not read, so its approval waits in the daemon, on disk
// but not delivered, and the power goes.
func killedTelling(st *stage) error {
	sale := st.beginFrozenSale("66.00")
	if err := st.waitJournal(sale.stan, "approved"); err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond) // for a confirmation that must not come
	entries, err := st.journal(sale.stan)
	if err != nil {
		return err
	}
	if now := strings.Join(story(entries), " > "); now != "asked > approved 00" {
		return fmt.Errorf("the frozen app was told after all: %s", now)
	}
	st.kill()
	sale.abandon()
	return st.restart()
}

// hostAway: the first sale is with the host when it goes, the two after it find nobody.
func hostAway(st *stage) error {
	if err := st.behave("0200:silent x1"); err != nil {
		return err
	}
	sale := st.beginSale("10.00")
	if err := st.waitHost(sale.stan, "debited"); err != nil {
		return err
	}
	if err := st.host("away"); err != nil {
		return err
	}
	st.say("    host      is away\n")
	if err := sale.wait(); err != nil {
		return err
	}
	for _, amount := range []string{"20.00", "30.00"} {
		if _, err := st.sell(amount); err != nil {
			return err
		}
	}
	st.say("    host      is back\n")
	return st.host("back")
}

// lateApproval: the reversal is with the host, unanswered, when the approval arrives.
func lateApproval(st *stage) error {
	if err := st.behave("0200:late=2500ms x1", "0400:late=1s x1"); err != nil {
		return err
	}
	_, err := st.sell("18.50")
	return err
}

func declined(st *stage) error {
	if err := st.behave("0200:decline=51 x1"); err != nil {
		return err
	}
	_, err := st.sell("999.00")
	return err
}

// stuckReversal: the host would answer 58 for ever; a person asks it to mend that, and replays.
func stuckReversal(st *stage) error {
	if err := st.behave("0200:silent x1", "0400:code=58"); err != nil {
		return err
	}
	sale, err := st.sell("55.00")
	if err != nil {
		return err
	}
	if err := st.waitJournal(sale.stan, "stuck"); err != nil {
		return err
	}
	entries, err := st.journal(sale.stan)
	if err != nil || len(entries) == 0 {
		return fmt.Errorf("the stuck payment is not on file: %w", err)
	}
	st.showJournal(sale.stan, story(entries))
	if e, _, err := st.bookOf(sale.stan); err != nil || e.State != "debited" {
		return fmt.Errorf("the host has %s what is stuck", e.State)
	}
	out, err := st.ask("stuck")
	if code := exitCode(err); code != 1 {
		return fmt.Errorf("reversald stuck exits %d with a stuck payment, want 1: %s", code, out)
	}
	st.sayLines("person", "$ reversald stuck\n"+out)
	if err := st.behave("--forget"); err != nil {
		return err
	}
	id := strconv.FormatUint(entries[0].ID, 10)
	out, err = st.ask("replay", id, "--by", "demo", "--reason", "the host has mended its tables")
	if err != nil {
		return fmt.Errorf("replay: %w: %s", err, out)
	}
	st.sayLines("person", "$ reversald replay "+id+" --by demo\n"+out)
	if err := st.settle(); err != nil {
		return err
	}
	if out, err = st.ask("stuck"); err != nil {
		return fmt.Errorf("something is stuck still: %s", out)
	}
	return nil
}

// threeSales: after all of it the till sells as before.
func threeSales(st *stage) error {
	for _, amount := range []string{"4.20", "88.00", "100.01"} {
		if _, err := st.sell(amount); err != nil {
			return err
		}
	}
	return nil
}
