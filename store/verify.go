package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Verdict is what Verify found.
type Verdict struct {
	Path     string
	ID       [16]byte
	Terminal string
	Format   int
	First    uint64   // oldest entry behind what was forgotten, 0 for none
	Last     uint64   // newest, 0 for none
	Entries  int      // on file
	Payments uint64   // stories on file, as counted
	Open     []uint64 // keys, by the index
	Waiting  int      // entries that only the ring has, which the next start adds
	Keyless  bool     // without the key file: the chain was not followed
	Lost     []Range  // gaps that an earlier damage left, and a salvage has marked
	Faults   []Fault  // in the order they were met; none: the file is what it claims to be
}

// Verify proves the files of a journal that nobody has open: the pages and that none is used
// twice, every checksum, the chain, that the index is what the entries add up to, that the ring
// agrees, and that no payload holds what can be a card number. It writes nothing, takes no lock
// that a starting daemon would have to wait for, and nothing in the files can make it fail other
// than by saying so.
//
// ErrLocked is for a journal in use, ErrNewer for one of a newer version. Everything else that is
// wrong is a Fault.
func Verify(o Options) (Verdict, error) {
	if err := o.setDefaults(); err != nil {
		return Verdict{}, err
	}
	f, size, err := openIdle(o.Path)
	if err != nil {
		return Verdict{}, fmt.Errorf("verify: %w", err)
	}
	defer f.Close()
	v := &verifier{o: o, out: Verdict{Path: o.Path}}
	if err := v.run(f, size); err != nil {
		return v.out, err
	}
	after, err := newestMeta(f, size)
	if inUse(f) || (err == nil && v.s.file.txid != after.txid) {
		return Verdict{}, fmt.Errorf("%w: %s was written to meanwhile", ErrLocked, o.Path)
	}
	return v.out, nil
}

// openIdle opens a journal for reading, page by page, if nobody has it open.
func openIdle(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("%w: %w", ErrLost, err)
	}
	if err != nil {
		return nil, 0, permission(err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%w: %s is not a regular file", ErrUnreadable, path)
	case inUse(f):
		err = fmt.Errorf("%w: %s", ErrLocked, path)
	}
	if err != nil {
		f.Close()
		return nil, 0, permission(err)
	}
	return f, info.Size(), nil
}

// inUse tries the lock that whoever has the journal open holds.
func inUse(f *os.File) bool {
	if errors.Is(tryLock(f), ErrLocked) {
		return true
	}
	unlockFile(f)
	return false
}

type verifier struct {
	o   Options
	out Verdict
	s   *survey
	img *ringImage

	anyPayload bool // what can be a card number is no fault
	w          *walker
	fold       pending
	payments   uint64
	end        uint64 // newest number that was given out
}

func (v *verifier) fault(f Fault) { v.out.Faults = append(v.out.Faults, f) }

func (v *verifier) run(f *os.File, size int64) error {
	v.s = surveyFile(f, size)
	if v.s.newer != nil {
		return fmt.Errorf("verify %s: %w", v.o.Path, v.s.newer)
	}
	m := &v.s.meta
	v.out.ID, v.out.Terminal, v.out.Format = m.id, m.terminal, int(m.format)
	v.metaPages(f)
	if v.s.metaOK {
		c, err := v.chainer(m)
		if err != nil {
			return err
		}
		v.readRing()
		v.w, v.fold = newWalker(c, m, v.s.bridges), make(pending)
		v.s.readLog(v.entry)
		v.sum()
	}
	v.out.Faults = append(v.out.Faults, v.s.faults...)
	return nil
}

// chainer follows the chain of the journal; without the key it follows nothing.
func (v *verifier) chainer(m *journalMeta) (*chainer, error) {
	keys, err := unlock(&v.o, m)
	switch {
	case errors.Is(err, ErrKeyLost):
		v.out.Keyless = true
		return &chainer{}, nil
	case errors.Is(err, ErrOtherKey):
		v.fault(Fault{File: v.o.KeyPath, Problem: "is not the key of this journal"})
		v.out.Keyless = true
		return &chainer{}, nil
	case err != nil:
		return nil, err
	}
	return keys.newChainer(), nil
}

func (v *verifier) metaPages(f *os.File) {
	for page := range uint64(2) {
		block := make([]byte, pageBytes)
		if _, err := f.ReadAt(block, int64(page)*pageBytes); err != nil {
			continue // said already
		}
		if _, ok := parseBoltMeta(block); !ok {
			v.fault(Fault{Problem: fmt.Sprintf("meta page %d is damaged", page)})
		}
	}
}

func (v *verifier) readRing() {
	f, err := os.Open(v.o.RingPath)
	if errors.Is(err, fs.ErrNotExist) {
		v.fault(Fault{File: v.o.RingPath, Problem: "is not there: there is one copy only"})
		return
	}
	if err == nil {
		defer f.Close()
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			v.img, err = readRingImage(f, int(min(info.Size(), ringBytesMax)/slotBytes))
		}
	}
	if err != nil {
		v.fault(Fault{File: v.o.RingPath, Problem: err.Error()})
		return
	}
	if n := v.img.damaged; n > 0 {
		v.fault(Fault{File: v.o.RingPath, Problem: fmt.Sprintf("%d slots are damaged", n)})
	}
	if n := v.img.foreign(v.out.ID); n > 0 {
		v.fault(Fault{
			File: v.o.RingPath, Problem: fmt.Sprintf("%d slots are of another journal", n),
		})
		v.img = nil
	}
}

// entry looks at one entry of the log.
func (v *verifier) entry(seq uint64, raw []byte) {
	v.out.Entries++
	v.out.Last = max(v.out.Last, seq)
	if v.out.First == 0 && seq > v.s.meta.base {
		v.out.First = seq
	}
	e, ok := v.w.step(seq, raw)
	if len(v.w.faults) > 0 {
		v.out.Faults = append(v.out.Faults, v.w.faults...)
		v.w.faults = v.w.faults[:0]
	}
	if !ok {
		return
	}
	if !v.anyPayload && cardNumber(e.Payload) >= 0 {
		v.fault(Fault{Seq: seq, Problem: "the payload holds what can be a card number"})
	}
	if begins(&e) {
		v.payments++
	}
	v.fold.apply(seq, e.Key, foldMark(&e))
	if v.img == nil {
		return
	}
	for _, rc := range v.img.entries[seq] {
		if !bytes.Equal(rc.raw, raw) {
			v.fault(Fault{File: v.o.RingPath, Seq: seq, Problem: "differs from the journal"})
		}
	}
}

// sum compares what the entries add up to with what is said of them.
func (v *verifier) sum() {
	m := &v.s.meta
	v.end = v.s.bridges.end(max(v.out.Last, m.base))
	v.w.end(v.end)
	v.out.Faults = append(v.out.Faults, v.w.faults...)
	v.out.Lost, v.out.Payments = v.w.lost, v.payments
	if v.s.indexOK {
		v.index()
	}
	if m.format > 1 {
		if v.payments != m.payments {
			v.fault(Fault{Problem: fmt.Sprintf("%d payments on file, %d counted",
				v.payments, m.payments)})
		}
		if v.w.kept != m.kept {
			v.fault(Fault{Problem: fmt.Sprintf("%d entries kept of what was forgotten, %d counted",
				v.w.kept, m.kept)})
		}
		known := !v.out.Keyless && v.s.bridges != nil
		if known && v.s.bridges.prove(v.w.c, m) != m.proof {
			v.fault(Fault{Problem: "what says where the journal begins was altered"})
		}
	}
	v.ringEnd()
}

// index compares the index of open keys with the entries. A key whose last entry is followed by
// a gap that a salvage has marked may have been closed in it.
func (v *verifier) index() {
	lostUpTo := uint64(0)
	for _, r := range v.out.Lost {
		lostUpTo = r.Last
	}
	for key, ref := range v.s.index {
		if s, open := v.fold[key]; ref.damage == 0 && (!open || s.last != ref.last) {
			v.fault(Fault{Seq: ref.last, Problem: fmt.Sprintf(
				"the index says that it is the newest of open key %d; the entries do not", key)})
		}
	}
	v.out.Open = sortedKeys(v.s.index)
	for _, key := range v.fold.keys() {
		if _, is := v.s.index[key]; !is && v.fold[key].last >= lostUpTo {
			v.fault(Fault{Seq: v.fold[key].last, Problem: fmt.Sprintf(
				"key %d is open by its entries, and not in the index", key)})
		}
	}
}

// ringEnd compares how far the two files go.
func (v *verifier) ringEnd() {
	if v.img == nil {
		return
	}
	chain, last := v.w.chain, v.end
	for !v.out.Keyless {
		rc, ok := v.img.following(v.w.c, last+1, chain)
		if !ok {
			break
		}
		last, chain = last+1, rc.entry.Chain
		v.out.Waiting++
	}
	if v.img.acked > last {
		v.fault(Fault{Seq: last + 1, Problem: fmt.Sprintf(
			"the journal ends before it, the ring has seen up to %d", v.img.acked)})
	}
	for seq, copies := range v.img.entries {
		if !v.anyPayload && seq > v.out.Last && cardNumber(copies[0].entry.Payload) >= 0 {
			v.fault(Fault{
				File: v.o.RingPath, Seq: seq,
				Problem: "the payload holds what can be a card number",
			})
		}
	}
}
