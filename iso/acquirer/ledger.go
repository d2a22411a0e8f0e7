package acquirer

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// entriesMax bounds the books in memory (about 600 bytes an entry). At the limit new requests are
// declined 96; reversals of what is booked still work.
const entriesMax = 500_000

// rivalsMax bounds what is remembered under one terminal and STAN of payments that were declined
// 94 and reversals of nothing: a terminal that counts wrongly must not slow the bank down.
const rivalsMax = 256

// Faults of the books. After any of them the ledger answers nothing more: what a bank cannot
// write down it must not say.
var (
	// ErrLedgerDead is wrapped by every error after the first failed write or broken invariant.
	ErrLedgerDead = errors.New("the books are closed after a fault")
	// ErrUnbalanced is a fault of this program: the books do not add up.
	ErrUnbalanced = errors.New("the books do not add up")
)

// Ledger is the books of the bank: what it debited, and what it took back.
//
// It changes in one way only. decide looks at the books and says which Fact a question makes true,
// the fact is written and synced, and apply changes the books. At start the facts of the file go
// through the same apply, so a restarted bank remembers exactly what it had said.
//
//	            0200 approved            0400
//	(nothing) ---------------> debited --------> reversed   a later 0200 is declined 12
//	    |     0200 refused
//	    +--------------------> declined                     a 0400 is answered 00
//	    |     0400 first                   0200
//	    +--------------------> never-seen -------> declined (and noted)
//
// Safe for use by several goroutines.
type Ledger struct {
	mu      sync.Mutex
	file    *bookFile // nil: kept in memory only
	names   *names
	seq     uint64
	auditAt uint64 // the seq at which the whole books are counted next
	entries map[uint64]*Entry
	order   []uint64
	byTrace map[string][]*Entry // terminal + STAN, oldest first
	money   *money
	counts  counts
	dead    error
}

// OpenLedger opens the books at path, making them when absent, and replays them. An empty path
// keeps the books in memory only.
func OpenLedger(path string) (*Ledger, error) {
	l := &Ledger{
		entries: make(map[uint64]*Entry),
		byTrace: make(map[string][]*Entry),
		money:   newMoney(),
	}
	if path == "" {
		names, err := newNames()
		l.names = names
		return l, err
	}
	file, err := openBookFile(path, func(f Fact) error { return l.apply(f) })
	if err != nil {
		return nil, err
	}
	if l.names, err = loadNames(path+".key", l.seq == 0); err != nil {
		return nil, errors.Join(err, file.close())
	}
	if err := l.audit(); err != nil {
		return nil, errors.Join(fmt.Errorf("books %s: %w", path, err), file.close())
	}
	l.file = file
	return l, nil
}

// Close closes the books file. The ledger answers nothing afterwards.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead == nil {
		l.dead = ErrLedgerDead
	}
	if l.file == nil {
		return nil
	}
	err := l.file.close()
	l.file = nil
	return err
}

// Account is the name under which the books know a card number: the same number has the same name
// as long as the key beside the books lives, and the name does not give the number away.
func (l *Ledger) Account(digits string) string { return l.names.account(digits) }

// Ask puts one question to the books at the given time. When it returns without an error, what it
// says is on the disk. Any error closes the ledger.
func (l *Ledger) Ask(at time.Time, q Question) (Reply, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead != nil {
		return Reply{}, l.dead
	}
	fact := l.decide(q)
	if fact.What == "" { // nothing becomes true, so there is nothing to write
		return Reply{Code: fact.Code, Said: fact.Note}, nil
	}
	fact.Seq, fact.At = l.seq+1, at.UTC().Round(0)
	if fact.opens() {
		fact.Entry = fact.Seq
		fact.name()
	}
	if l.file != nil {
		if err := l.file.append(fact); err != nil {
			return Reply{}, l.die(err)
		}
	}
	if err := l.apply(fact); err != nil {
		return Reply{}, l.die(err)
	}
	entry := l.entries[fact.Entry]
	if err := l.check(entry); err != nil {
		return Reply{}, l.die(err)
	}
	return Reply{
		Code: fact.Code, RRN: entry.RRN, Auth: entry.Auth, What: fact.What, Said: fact.Note,
	}, nil
}

func (l *Ledger) die(err error) error {
	l.dead = fmt.Errorf("%w: %w", ErrLedgerDead, err)
	return l.dead
}

// apply makes a fact true in memory, live and at start alike.
func (l *Ledger) apply(f Fact) error {
	if f.Seq != l.seq+1 {
		return fmt.Errorf("fact %d follows fact %d", f.Seq, l.seq)
	}
	if f.opens() {
		if f.Question == nil || f.Entry != f.Seq {
			return fmt.Errorf("fact %d (%s) opens no entry", f.Seq, f.What)
		}
		e := newEntry(f)
		l.entries[f.Entry] = e
		l.order = append(l.order, f.Entry)
		trace := traceKey(e.Terminal, e.STAN)
		l.byTrace[trace] = append(l.byTrace[trace], e)
	}
	e := l.entries[f.Entry]
	if e == nil {
		return fmt.Errorf("fact %d (%s) speaks of entry %d, which is not in the books",
			f.Seq, f.What, f.Entry)
	}
	before := e.effect()
	if err := e.become(f); err != nil {
		return err
	}
	if err := l.money.post(e, e.effect()-before); err != nil {
		return fmt.Errorf("fact %d: %w", f.Seq, err)
	}
	l.counts.add(f)
	l.seq = f.Seq
	return nil
}

func traceKey(terminal, stan string) string { return terminal + "/" + stan }
