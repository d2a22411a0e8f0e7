package agent

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"sync/atomic"

	"reversald/agent/payment"
	"reversald/store"
)

// register finds payments on file by what an app knows of them: trace number, reference, key. It
// holds 40 bytes a payment, hashes only; whoever finds one reads the journal to be sure.
//
// It reads the journal once after the start, in the background, and from then on only what was
// added, when somebody asks. It belongs to whoever has the turn.
type register struct {
	journal *store.Journal
	seed    maphash.Seed
	turn    chan struct{} // holds one: whoever took it may look and read on
	rows    []row         // ascending by id
	seen    uint64        // the newest entry read
	purged  int           // rows that were left after the last purge
	behind  atomic.Bool   // the first reading is not over
}

// row is one payment. A hash of 0 is that there is nothing to find it by.
type row struct {
	id                              uint64 // at most the number of its first entry
	first, last                     uint32 // its first and newest entries, counted from id
	trace, rrn, reference, key, app uint32
}

// entries are the numbers of its first and its newest entry.
func (w *row) entries() (from, to uint64) {
	return w.id + uint64(w.first), w.id + uint64(w.last)
}

func newRegister(j *store.Journal) *register {
	r := &register{journal: j, seed: maphash.MakeSeed(), turn: make(chan struct{}, 1)}
	r.behind.Store(true)
	r.turn <- struct{}{}
	return r
}

// hash of no text is 0, and of no other text.
func (r *register) hash(parts ...string) uint32 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	empty := true
	for _, part := range parts {
		empty = empty && part == ""
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	if empty {
		return 0
	}
	return max(1, uint32(h.Sum64()))
}

// take waits for the turn, reads what is new in the journal, and leaves the turn to the caller,
// who gives it back. No reader of the journal holds up its writer.
func (r *register) take(ctx context.Context) error {
	select {
	case <-r.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := r.readOn(ctx); err != nil {
		r.give()
		return err
	}
	return nil
}

// begin reads the journal for the first time. An error of it is told to whoever asks.
func (r *register) begin(ctx context.Context) {
	if r.take(ctx) == nil {
		r.give()
	}
}

func (r *register) give() { r.turn <- struct{}{} }

func (r *register) readOn(ctx context.Context) error {
	for last := r.journal.Last(); r.seen < last; {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := r.journal.Scan(r.seen+1, pageMax)
		for i := range entries {
			r.learn(&entries[i])
		}
		switch {
		case errors.Is(err, store.ErrCorrupt): // what can not be read can not be found
			r.seen = afterAll(entries, r.seen+1)
		case err != nil:
			return err
		case len(entries) == 0:
			r.seen = last // what stood there is forgotten
		default:
			r.seen = entries[len(entries)-1].Seq
		}
	}
	r.behind.Store(false)
	if len(r.rows) > 2*r.purged+pageMax {
		r.purge()
	}
	return nil
}

// learn takes one entry.
func (r *register) learn(e *store.Entry) {
	if e.Key == 0 {
		return
	}
	kind := payment.Kind(e.Kind)
	if kind == payment.RecordAsked {
		r.rows = append(r.rows, row{
			id: e.Key, first: distance(e), app: r.hash(jsonText(e.Payload, "app")),
			trace:     r.hash(jsonText(e.Payload, "terminal"), jsonText(e.Payload, "stan")),
			reference: r.hash(jsonText(e.Payload, "reference")),
			key:       r.hash(jsonText(e.Payload, "idempotency_key")),
		})
	}
	at := r.row(e.Key)
	if at == nil {
		return // its beginning is damaged
	}
	at.last = distance(e)
	if kind == payment.RecordApproved {
		at.rrn = r.hash(jsonText(e.Payload, "rrn"))
	}
}

// distance is how far an entry is from the number of its payment.
func distance(e *store.Entry) uint32 { return uint32(min(e.Seq-e.Key, math.MaxUint32)) }

// row is that of a payment; nil when there is none.
func (r *register) row(id uint64) *row {
	// Most of what is read is about the newest few.
	for i := len(r.rows) - 1; i >= max(0, len(r.rows)-8); i-- {
		if r.rows[i].id == id {
			return &r.rows[i]
		}
	}
	i, found := slices.BinarySearchFunc(r.rows, id, func(w row, id uint64) int {
		return cmp.Compare(w.id, id)
	})
	if !found {
		return nil
	}
	return &r.rows[i]
}

// purge drops the rows of what is forgotten.
func (r *register) purge() {
	open := r.journal.OpenKeys()
	first := r.journal.Facts().First
	r.rows = slices.DeleteFunc(r.rows, func(w row) bool {
		if _, to := w.entries(); to >= first {
			return false
		}
		_, isOpen := slices.BinarySearch(open, w.id)
		return !isOpen
	})
	r.purged = len(r.rows)
}

// jsonText is the first text under a key in a payload that we wrote ourselves. Nothing inside of a
// text looks like a key, because its quotes are escaped.
func jsonText(payload []byte, key string) string {
	at := bytes.Index(payload, append(append([]byte{'"'}, key...), `":"`...))
	if at < 0 {
		return ""
	}
	rest := payload[at+len(key)+len(`"":"`):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 || bytes.IndexByte(rest[:end], '\\') >= 0 {
		return escapedText(payload, at)
	}
	return string(rest[:end])
}
