package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// harvest is everything good that is left of a journal, from wherever it is: the log, the ring,
// and pages that nothing leads to any more.
type harvest struct {
	s         *survey // of the bbolt file; of nothing when that is gone
	file      io.ReaderAt
	img       *ringImage
	ringWhole bool // no slot damaged, and not made anew: what is open is in it
	c         *chainer

	closedUpTo uint64 // what the last Close says was the newest entry
	reseal     *resealing
	acceptLoss bool // a person knows that the newest payments are gone

	// What goes into the new file.
	meta    journalMeta
	bridges bridges
	index   map[uint64]openRef

	tree, strays []place // ascending
	treeLast     uint64
	next         uint64   // expected
	chain        [16]byte // of the entry before
	known        bool
	behind       bool
	last         uint64

	fold     pending
	closed   map[uint64]uint64 // closing entry of keys that the old index calls open
	broken   map[uint64]bool   // keys with a gap in their story
	lost     uint64            // entries that are gone, and were not before
	lostUpTo uint64            // the last of all gaps behind base
}

// gather finds every place where an entry can be.
func (h *harvest) gather() {
	h.s.readLog(nil)
	h.tree = h.s.places
	intact := h.s.metaOK && len(h.s.faults) == 0 && h.s.bridges != nil
	good := make(map[uint64]bool, len(h.tree))
	next := h.s.meta.base + 1
	for _, p := range h.tree {
		raw, err := p.read(h.file)
		if err == nil {
			_, err = decodeAt(p.seq, raw)
		}
		if err != nil {
			intact = false
			continue
		}
		good[p.seq] = true
		if p.seq >= next {
			_, bridged := h.s.bridges[p.seq]
			intact = intact && (p.seq == next || bridged)
			next = p.seq + 1
		}
	}
	h.disbelieve(max(next-1, h.img.acked))
	if h.file != nil && (!intact || !h.ringWhole) {
		h.strays = h.s.scanEntries(func(seq uint64) bool { return !good[seq] })
	}
}

// disbelieve drops numbers that nothing can have: pages of bbolt have no checksum, so a torn one of
// the log or of the index may hold any. known is the newest entry there certainly was. What is
// behind it cannot be more than the file has room for; and a ring that is whole has all that was
// acknowledged, so that the log has, in one piece, what it is ahead of it.
func (h *harvest) disbelieve(known uint64) {
	most := known + uint64(max(h.s.file.size, 0))/entryBytesMin
	mostInTree := most
	if h.ringWhole && len(h.img.slots) > 0 {
		for seq := range h.img.entries {
			known = max(known, seq)
		}
		mostInTree = known
		for _, p := range h.tree {
			if p.seq > known {
				mostInTree++
			}
		}
	}
	h.tree = slices.DeleteFunc(h.tree, func(p place) bool { return p.seq > mostInTree })
	if n := len(h.tree); n > 0 {
		h.treeLast = h.tree[n-1].seq
	}
	for key, ref := range h.s.index {
		if key > most || ref.last > most {
			delete(h.s.index, key)
			h.s.indexOK = false
		}
	}
}

// seqs lists every number that may have an entry, once, ascending.
func (h *harvest) seqs() []uint64 {
	all := make([]uint64, 0, len(h.tree))
	for _, p := range h.tree {
		all = append(all, p.seq)
	}
	for _, p := range h.strays {
		all = append(all, p.seq)
	}
	for seq := range h.img.entries {
		all = append(all, seq)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// errTwoHistories: both files have good entries under one number, and they differ.
var errTwoHistories = errors.New("it and the ring differ")

// run calls take with the best copy of every entry, in order, and then knows the index.
func (h *harvest) run(take func(e *Entry, raw []byte) error) error {
	h.fold, h.closed, h.broken = make(pending), make(map[uint64]uint64), make(map[uint64]bool)
	h.bridges, h.index = make(bridges), make(map[uint64]openRef)
	h.chain = h.meta.chain
	tree, strays := h.tree, h.strays
	for _, seq := range h.seqs() {
		var copies [][]byte
		inTree := len(tree) > 0 && tree[0].seq == seq
		if inTree {
			copies, tree = h.read(copies, tree[0]), tree[1:]
		}
		inTree = len(copies) > 0
		for _, rc := range h.img.entries[seq] {
			if inTree && seq == h.img.acked && !bytes.Equal(copies[0], rc.raw) {
				return fmt.Errorf("%w: %w in entry %d", ErrLost, errTwoHistories, seq)
			}
			copies = append(copies, rc.raw)
		}
		for len(strays) > 0 && strays[0].seq == seq {
			copies, strays = h.read(copies, strays[0]), strays[1:]
		}
		if err := h.choose(seq, copies, inTree, take); err != nil {
			return err
		}
	}
	h.last = max(h.last, h.meta.base)
	if err := h.tail(); err != nil {
		return err
	}
	h.settle()
	return nil
}

// tail deals with a journal that once went further than what is left. Where the index goes as far
// it names what was open there, and nothing is forgotten; the numbers that are gone are not given
// out again. Otherwise there may have been payments that nobody knows of any more: a person must
// say that this is accepted.
func (h *harvest) tail() error {
	indexUpTo := h.treeLast
	for _, ref := range h.s.index {
		indexUpTo = max(indexUpTo, ref.last)
	}
	end := max(h.img.acked, h.closedUpTo, indexUpTo)
	if marked := h.markedEnd(); end <= marked {
		if marked > h.last {
			h.lostUpTo = marked
			h.bridges[marked+1] = h.s.bridges[marked+1]
		}
		return nil
	}
	if (!h.s.indexOK || end > indexUpTo) && !h.acceptLoss {
		return fmt.Errorf("%w: what is left ends at entry %d, it went up to %d", ErrLost,
			h.last, end)
	}
	h.lost += end - h.last
	h.lostUpTo = end
	h.bridges[end+1] = bytes.Clone(h.chain[:])
	return nil
}

// markedEnd is the newest number that was given out, as far as an earlier salvage has marked that
// its entry is gone.
func (h *harvest) markedEnd() uint64 {
	if h.s.bridges == nil || h.s.bridges.prove(h.c, &h.s.meta) != h.s.meta.proof {
		return h.last
	}
	return h.s.bridges.end(h.last)
}

func (h *harvest) read(copies [][]byte, p place) [][]byte {
	raw, err := p.read(h.file)
	if err != nil {
		return copies
	}
	if _, err := decodeAt(p.seq, raw); err != nil {
		return copies
	}
	return append(copies, raw)
}

// choose takes the copy that continues the chain or, where that cannot be told, the first. What
// does not continue it and stands outside the log was never acknowledged.
func (h *harvest) choose(
	seq uint64, copies [][]byte, inTree bool, take func(*Entry, []byte) error,
) error {
	if len(copies) == 0 {
		return nil
	}
	chain, known := h.before(seq)
	best, e, follows := copies[0], Entry{}, false
	for i, raw := range copies {
		c, err := decodeAt(seq, raw) // it did before
		if i == 0 {
			e = c
		}
		if known && err == nil && h.c.next(chain, chainedBytes(raw)) == c.Chain {
			best, e, follows = raw, c, true
			break
		}
	}
	if !follows && !inTree && seq > max(h.treeLast, h.img.acked)+1 {
		return nil // on its way when the power went, or left over
	}
	if seq <= h.meta.base && !inTree && !h.wantedBack(&e) {
		return nil
	}
	h.accept(&e)
	return take(&e, best)
}

// before is the chain of the entry before seq, as far as that is known.
func (h *harvest) before(seq uint64) (chain [16]byte, known bool) {
	switch {
	case seq == h.next && h.known:
		return h.chain, true
	case seq == h.meta.base+1:
		return h.meta.chain, true
	}
	chain, known, _ = h.s.bridges.before(seq)
	return chain, known
}

// wantedBack holds for an entry from before base that the log has lost: of a key that is open by
// the index or, without one, of a key that the ring does not know as closed.
func (h *harvest) wantedBack(e *Entry) bool {
	if h.s.indexOK {
		_, open := h.s.index[e.Key]
		return open
	}
	for _, copies := range h.img.entries {
		if c := copies[0].entry; c.Key == e.Key && c.Mark == MarkClose && c.Seq >= e.Seq {
			return false
		}
	}
	return e.Key != 0
}

// accept counts an entry in, with the gap before it.
func (h *harvest) accept(e *Entry) {
	seq := e.Seq
	if seq > h.meta.base && !h.behind {
		h.behind, h.next = true, h.meta.base+1
	}
	if seq != h.next {
		old, had := h.s.bridges[seq]
		if !had {
			old = bridgeLost
		}
		h.bridges[seq] = old
		if h.behind {
			h.lostUpTo = seq - 1
			if !had {
				h.lost += seq - h.next
			}
		}
	}
	if !h.behind {
		h.meta.kept++
	}
	if begins(e) {
		h.meta.payments++
	}
	if _, open := h.fold[e.Key]; open && e.Prev == 0 {
		delete(h.fold, e.Key) // it was closed in a gap, and opened again
	}
	if s, open := h.fold[e.Key]; e.Prev != s.last || (e.Prev != 0 && !open) {
		h.broken[e.Key] = true
	}
	h.fold.apply(seq, e.Key, foldMark(e))
	if e.Mark == MarkClose {
		delete(h.broken, e.Key)
		h.closed[e.Key] = seq
	} else {
		delete(h.closed, e.Key)
	}
	h.next, h.chain, h.known, h.last = seq+1, e.Chain, true, seq
}

// settle says which keys are open. The old index knows what the entries that are gone did to
// them. Without it the ring does, if it is whole, because it keeps all entries of what is open.
// What neither can tell may have been closed by an entry that is gone.
func (h *harvest) settle() {
	for key, s := range h.fold {
		ref, listed := h.s.index[key]
		out := openRef{last: s.last, damage: ref.damage}
		if h.broken[key] {
			out.damage = max(out.damage, DamagePart)
		}
		mayBeClosed := s.last < h.lostUpTo
		switch {
		case listed:
			if ref.last > s.last {
				out.damage = max(out.damage, DamagePart)
			}
		case h.s.indexOK:
			if mayBeClosed && s.last <= h.treeLast {
				continue
			}
			// The gap with its end may have been forgotten since. The ring has what is open.
			if s.last <= h.meta.base && !h.inRing(s.last) {
				if h.ringWhole && !h.crowdedByOpen() {
					continue
				}
				out.damage = DamageFate
			}
		case !mayBeClosed:
		case h.ringWhole && !h.crowded():
			if !h.inRing(s.last) {
				continue
			}
		default:
			out.damage = DamageFate
		}
		h.index[key] = out
	}
	for key, ref := range h.s.index {
		_, open := h.fold[key]
		if at, closed := h.closed[key]; !open && (!closed || at < ref.last) {
			h.index[key] = openRef{last: ref.last, damage: DamagePart}
		}
	}
}

func (h *harvest) inRing(seq uint64) bool { return len(h.img.entries[seq]) > 0 }

// crowdedByOpen is crowded where it is known what is open.
func (h *harvest) crowdedByOpen() bool {
	sum := 0
	for _, copies := range h.img.entries {
		if _, open := h.fold[copies[0].entry.Key]; open {
			sum += len(copies[0].raw) + slotLengthBytes
		}
	}
	return sum > (h.img.size-ringLead)*slotDataBytes/2
}

// crowded says that the ring may have let go of what was open.
func (h *harvest) crowded() bool {
	sum := 0
	for _, copies := range h.img.entries {
		sum += len(copies[0].raw) + slotLengthBytes
	}
	return sum > (h.img.size-ringLead)*slotDataBytes/2
}
