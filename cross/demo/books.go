package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
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
func (st *stage) bookOf(stan string) (booked, bool) {
	for _, e := range st.books() {
		if e.STAN == stan {
			return e, true
		}
	}
	return booked{}, false
}

func (st *stage) books() []booked {
	out, err := st.askHost("books", "--json")
	if err != nil {
		return nil
	}
	var books struct {
		Entries []booked `json:"entries"`
	}
	if err := json.Unmarshal([]byte(out), &books); err != nil {
		return nil
	}
	return books.Entries
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

// journal is the story of one sale, oldest first.
func (st *stage) journal(stan string) []entry {
	out, err := st.ask("tail", "--json", "-n", "100000")
	if err != nil {
		return nil
	}
	var story []entry
	ids := map[uint64]bool{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var e entry
		if json.Unmarshal([]byte(line), &e) != nil {
			continue
		}
		if e.Kind == "asked" && e.STAN == stan {
			ids[e.ID] = true
		}
		if ids[e.ID] {
			story = append(story, e)
		}
	}
	return story
}

func (st *stage) journalHas(stan, kind string) bool {
	for _, e := range st.journal(stan) {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

func (st *stage) waitJournal(stan, kind string) error {
	return until("the journal to say "+kind+" of "+stan, func() bool {
		return st.journalHas(stan, kind)
	})
}

func (st *stage) idOf(stan string) string {
	story := st.journal(stan)
	if len(story) == 0 {
		return "0"
	}
	return fmt.Sprint(story[0].ID)
}

// showJournal prints the story of a sale on one line.
func (st *stage) showJournal(stan string) {
	var words []string
	for _, e := range st.journal(stan) {
		word := e.Kind
		for _, more := range []string{e.Reason, e.Code} {
			if more != "" {
				word += " " + more
			}
		}
		if e.By != "" {
			word += " by " + e.By
		}
		words = append(words, word)
	}
	text := strings.Join(words, " > ")
	if text == "" {
		text = "nothing: it never left"
	}
	st.say("    journal   %s %s\n", stan, text)
}

// settleAndShow waits until nothing is owed and shows journal and books of the scene's sales.
func (st *stage) settleAndShow() error {
	if err := st.settle(); err != nil {
		return err
	}
	for _, s := range st.sales {
		if s.scene != st.scene {
			continue
		}
		st.showJournal(s.stan)
		e, known := st.bookOf(s.stan)
		text := "never heard of it"
		if known {
			text = fmt.Sprintf("%s %d.%02d", e.State, e.Amount/100, e.Amount%100)
			for _, mti := range slices.Sorted(maps.Keys(e.MTIs)) {
				text += fmt.Sprintf(", %d x %s", e.MTIs[mti], mti)
			}
			if e.LastCode != "" {
				text += " answered " + e.LastCode
			}
		}
		st.say("    host      %s %s\n", s.stan, text)
	}
	return nil
}

// balance compares what the tills were told with what the host holds.
func (st *stage) balance() (bool, error) {
	entries := st.books()
	if len(entries) == 0 {
		return false, fmt.Errorf("the host's books are empty or can not be read")
	}
	var belong, orphans, approved, lost int
	debited := map[string]bool{}
	for _, e := range entries {
		debited[e.STAN] = e.State == "debited"
	}
	toldYes := map[string]bool{}
	for _, s := range st.sales {
		if s.told.Outcome != "approved" {
			continue
		}
		toldYes[s.stan] = true
		approved++
		if !debited[s.stan] {
			lost++
		}
	}
	for stan, is := range debited {
		switch {
		case is && toldYes[stan]:
			belong++
		case is:
			orphans++
		}
	}
	stuckOut, stuckErr := st.ask("stuck")
	st.say("\nthe books\n")
	st.say("    sales rung up                           %d\n", len(st.sales))
	st.say("    debits that belong to approved sales    %d of %d\n", belong, approved)
	st.say("    debits left behind                      %d\n", orphans)
	st.say("    approved sales lost                     %d\n", lost)
	ok := orphans == 0 && lost == 0 && approved > 0 && stuckErr == nil
	if stuckErr != nil {
		st.say("    stuck                                   %s", stuckOut)
	}
	if ok {
		st.say("they balance\n")
	} else {
		st.say("THEY DO NOT BALANCE\n")
	}
	return ok, nil
}
