package acquirer

import (
	"fmt"
	"io"
	"maps"
	"sort"
	"strings"
	"sync"
	"time"
)

// Stats are what the bank did since it was started; they are not kept across a restart.
type Stats struct {
	Since       time.Time      `json:"since"`
	Address     string         `json:"address"`
	Away        bool           `json:"away"`
	Received    map[string]int `json:"received"` // messages by MTI; ???? cannot be read
	Answered    map[string]int `json:"answered"` // answers sent whole, by response code
	Keepalives  int            `json:"keepalives"`
	BadFrames   int            `json:"bad_frames"`   // connections closed over their framing
	Undelivered int            `json:"undelivered"`  // answers whose connection was gone or stuck
	LateWaiting int            `json:"late_waiting"` // late answers still to go out
	Connections Connections    `json:"connections"`
	Manners     []Use          `json:"manners"`
}

// Connections are counted over the life of the bank, but Open.
type Connections struct {
	Open       int `json:"open"`
	Accepted   int `json:"accepted"`
	TurnedAway int `json:"turned_away"` // over the limit
}

// mtisMax bounds the kinds of message that are counted apart; a peer can invent 10,000.
const mtisMax = 64

// tally is the Stats being counted.
type tally struct {
	mu sync.Mutex
	s  Stats
}

func newTally(since time.Time) *tally {
	return &tally{s: Stats{
		Since: since, Received: make(map[string]int), Answered: make(map[string]int),
	}}
}

func (t *tally) change(f func(*Stats)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.s)
}

func (t *tally) received(mti string) {
	t.change(func(s *Stats) { bump(s.Received, mti) })
}

func (t *tally) answered(code string) {
	t.change(func(s *Stats) { bump(s.Answered, code) })
}

func bump(m map[string]int, key string) {
	if _, known := m[key]; !known && len(m) >= mtisMax {
		key = "other"
	}
	m[key]++
}

// snapshot is a copy that nobody changes any more.
func (t *tally) snapshot() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.s
	s.Received, s.Answered = maps.Clone(s.Received), maps.Clone(s.Answered)
	return s
}

// WriteTo prints the stats for people.
func (s Stats) WriteTo(w io.Writer) (int64, error) {
	var out strings.Builder
	where := "listening on " + s.Address
	if s.Away {
		where = "away from " + s.Address
	}
	fmt.Fprintf(&out, "%s since %s\n", where, s.Since.Format(time.DateTime))
	fmt.Fprintf(&out, "received     %s\n", countWords(s.Received))
	fmt.Fprintf(&out, "answered     %s\n", countWords(s.Answered))
	fmt.Fprintf(&out, "undelivered  %d, late and waiting %d\n", s.Undelivered, s.LateWaiting)
	fmt.Fprintf(&out, "connections  %d open, %d accepted, %d turned away, %d bad frames, "+
		"%d keepalives\n", s.Connections.Open, s.Connections.Accepted, s.Connections.TurnedAway,
		s.BadFrames, s.Keepalives)
	for _, use := range s.Manners {
		fmt.Fprintf(&out, "manners      %s  taken %d\n", use.Rule, use.Taken)
	}
	n, err := io.WriteString(w, out.String())
	return int64(n), err
}

func countWords(m map[string]int) string {
	if len(m) == 0 {
		return "nothing"
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s x%d", k, m[k])
	}
	return strings.Join(keys, ", ")
}
