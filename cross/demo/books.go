package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// booked is one entry of the host's books.
type booked struct {
	STAN      string         `json:"stan"`
	State     string         `json:"state"` // debited, reversed, declined, never-seen
	Amount    int64          `json:"amount_minor"`
	Reversals int            `json:"reversals"`     // how many came
	MTIs      map[string]int `json:"reversal_mtis"` // of which type
	LastCode  string         `json:"reversal_code"` // what the last was answered
}

// bookOf is the host's entry for a sale; false when it never heard of it.
func (st *stage) bookOf(stan string) (entry booked, known bool, err error) {
	books, err := st.books()
	for _, e := range books {
		if e.STAN == stan {
			return e, true, nil
		}
	}
	return booked{}, false, err
}

func (st *stage) books() ([]booked, error) {
	out, err := st.askHost("books", "--json")
	if err != nil {
		return nil, err
	}
	var books struct {
		Entries []booked `json:"entries"`
	}
	if err := json.Unmarshal([]byte(out), &books); err != nil {
		return nil, fmt.Errorf("the host's books: %w", err)
	}
	return books.Entries, nil
}

// entry is one line of `reversald tail --json`.
type entry struct {
	ID     uint64 `json:"id"`
	Kind   string `json:"kind"`
	STAN   string `json:"stan"`
	Reason string `json:"reason"`
	Code   string `json:"code"`
	MTI    string `json:"mti"`
	Why    string `json:"why"`
	By     string `json:"by"`
}

// journal is what is on file about one sale, oldest first.
func (st *stage) journal(stan string) ([]entry, error) {
	out, err := st.ask("tail", "--json", "-n", "100000")
	if err != nil {
		return nil, fmt.Errorf("the journal: %w: %s", err, out)
	}
	var found []entry
	ids := map[uint64]bool{}
	lines := json.NewDecoder(strings.NewReader(out))
	for lines.More() {
		var e entry
		if err := lines.Decode(&e); err != nil {
			return nil, fmt.Errorf("the journal: %w", err)
		}
		if e.Kind == "asked" && e.STAN == stan {
			ids[e.ID] = true
		}
		if ids[e.ID] {
			found = append(found, e)
		}
	}
	return found, nil
}

func (st *stage) waitJournal(stan, kind string) error {
	return st.until("the journal to say "+kind+" of "+stan, func() bool {
		entries, err := st.journal(stan)
		is := func(e entry) bool { return e.Kind == kind }
		return err == nil && slices.ContainsFunc(entries, is)
	})
}

// story is what the journal says of a sale, in words. Of repeated reversals the first counts.
func story(entries []entry) []string {
	var words []string
	for _, e := range entries {
		word := strings.Join(strings.Fields(e.Kind+" "+e.Reason+" "+e.Code), " ")
		if e.By != "" {
			word += " by " + e.By
		}
		if len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return []string{"nothing: it never left"}
	}
	return words
}

// showJournal prints the story of a sale on one line, from where it was shown last.
func (st *stage) showJournal(stan string, words []string) {
	begin := min(st.shown[stan], len(words))
	text := strings.Join(words[begin:], " > ")
	if begin > 0 {
		text = "… > " + text
	}
	st.shown[stan] = len(words)
	st.say("    journal   %s %s\n", stan, text)
}

// fates asks what became of the scene's sales.
func (st *stage) fates() ([]fate, error) {
	var all []fate
	for _, s := range st.sales {
		if s.scene != st.scene {
			continue
		}
		entries, err := st.journal(s.stan)
		if err != nil {
			return nil, err
		}
		e, known, err := st.bookOf(s.stan)
		if err != nil {
			return nil, err
		}
		if !known {
			e.State = "never heard of it"
		}
		all = append(all, fate{
			cashier: s.told.Outcome + " " + orDash(s.told.Code),
			journal: strings.Join(story(entries), " > "), host: e.State,
			stan: s.stan, booked: e,
		})
	}
	return all, nil
}

// settled waits until the scene's sales are what they must be, or for as long as a confirmation may
// wait for its commit (nobody waits for it, so it may follow what the till was told), and shows
// what they are.
func (st *stage) settled(want []fate) (faults []string, err error) {
	var got []fate
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if got, err = st.fates(); err != nil {
			return nil, err
		}
		if faults = differ(got, want); len(faults) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, f := range got {
		st.showJournal(f.stan, strings.Split(f.journal, " > "))
		st.say("    host      %s %s\n", f.stan, f.booked)
	}
	return faults, nil
}

// String is the entry for people.
func (e booked) String() string {
	if e.STAN == "" {
		return e.State
	}
	words := []string{e.State + " " + money(e.Amount)}
	for _, mti := range slices.Sorted(maps.Keys(e.MTIs)) {
		words = append(words, fmt.Sprintf("%d x %s", e.MTIs[mti], mti))
	}
	text := strings.Join(words, ", ")
	if e.LastCode != "" {
		text += " answered " + e.LastCode
	}
	return text
}

func money(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// rung is a sale as the till remembers it.
type rung struct {
	stan, amount string
	approved     bool // what the till was told
}

// tally is what the tills were told against what the host holds.
type tally struct {
	rungUp, approved int
	belong           int // debits that belong to an approved sale, once and with its amount
	orphans          int // debits that do not
	lost             int // approved sales without their debit
}

func (t tally) balances() bool {
	return t.orphans == 0 && t.lost == 0 && t.approved > 0 && t.belong == t.approved
}

// compare counts every debit in the books once, also of sales that no till knows.
func compare(sales []rung, books []booked) tally {
	t := tally{rungUp: len(sales)}
	due := map[string]string{} // by STAN: the amount of an approved sale that has no debit yet
	for _, s := range sales {
		if s.approved {
			t.approved++
			due[s.stan] = s.amount
		}
	}
	for _, e := range books {
		switch amount, is := due[e.STAN]; {
		case e.State != "debited":
		case is && amount == money(e.Amount):
			t.belong++
			delete(due, e.STAN)
		default:
			t.orphans++
		}
	}
	t.lost = len(due)
	return t
}

// balance compares what the tills were told with what the host holds, and wants nothing left to do.
func (st *stage) balance() (bool, error) {
	books, err := st.books()
	if err != nil {
		return false, err
	}
	var sales []rung
	for _, s := range st.sales {
		sales = append(sales, rung{s.stan, s.amount, s.told.Outcome == "approved"})
	}
	left, err := st.status()
	if err != nil {
		return false, err
	}
	t := compare(sales, books)
	st.say("\nthe books\n")
	st.say("    sales rung up                           %d\n", t.rungUp)
	st.say("    debits that belong to approved sales    %d of %d\n", t.belong, t.approved)
	st.say("    debits left behind                      %d\n", t.orphans)
	st.say("    approved sales lost                     %d\n", t.lost)
	st.say("    owed, open, stuck                       %d, %d, %d\n",
		left.Owed, left.Open, left.Stuck)
	ok := t.balances() && left.nothing()
	if ok {
		st.say("they balance\n")
	} else {
		st.say("THEY DO NOT BALANCE\n")
	}
	return ok, nil
}
