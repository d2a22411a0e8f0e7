package store

import (
	"fmt"
	"io"
)

// Sizes of the ring, in slots.
const (
	// ringSlots is half a megabyte: the newest hundred commits, or all entries of some hundred
	// and fifty open keys.
	ringSlots = 128
	// ringLead is how far ahead of the slot being written the ring is swept. What is still open
	// there is carried into the slot being written, and is durable in its new place before its
	// old place is overwritten, by a later commit. No commit may fill more slots than this.
	ringLead = 32
	// notedSlotsMax is when a Note commits by itself.
	notedSlotsMax = 4
	// carrySlotsMax bounds what one commit writes on top of its own for entries carried forward.
	carrySlotsMax = 4
)

// BatchBytesMax is what the entries of one Append may weigh, each counted by its payload, its
// secret and EntryOverheadBytes. Two slots in a row hold more than the size of one, so this never
// takes more than ringLead - notedSlotsMax - carrySlotsMax slots.
const BatchBytesMax = (ringLead - notedSlotsMax - carrySlotsMax) / 2 * slotDataBytes

// EntryOverheadBytes is what an entry weighs in BatchBytesMax beside its payload and its secret.
const EntryOverheadBytes = entryBytesMin + sealOverhead + slotLengthBytes

// ringFile is what the ring needs of its file; tests make it fail.
type ringFile interface {
	io.ReaderAt
	io.WriterAt
	Sync() error // file data only, not its times
	Close() error
}

// held is an entry in a slot of the ring.
type held struct {
	seq, key uint64
	bytes    int
}

// carried is an entry on its way from a slot that will soon be overwritten to the one being
// written.
type carried struct {
	seq, key uint64
	raw      []byte
}

// image is a slot ready to be written.
type image struct {
	offset int64
	block  []byte
}

// ring writes the second copy: every commit takes the next slot, round and round, so that a slot
// with acknowledged entries is never touched before its turn comes again. Entries of keys that
// are still open when it does are carried forward.
type ring struct {
	file ringFile
	id   [16]byte
	live func(seq, key uint64) bool // belongs to a key that is still open

	next     uint64            // counter of the next slot
	counters []uint64          // what is at each position, 0 for nothing
	held     [][]held          // and the entries there
	at       map[uint64]uint64 // entry to the counter of the newest slot that holds it

	cur      slot // the slot being filled; it holds nothing acknowledged
	filling  bool
	unsynced int // slots begun since the last sync

	backlog []carried
	writes  []image // taken by write
	spare   [][]byte
}

func newRing(file ringFile, id [16]byte, slots int, live func(seq, key uint64) bool) *ring {
	return &ring{
		file: file, id: id, live: live, next: 1,
		counters: make([]uint64, slots),
		held:     make([][]held, slots),
		at:       make(map[uint64]uint64),
	}
}

func (r *ring) position(counter uint64) int { return int(counter % uint64(len(r.counters))) }

// put places an encoded entry; acked goes into the header of any slot this begins.
func (r *ring) put(seq, key uint64, raw []byte, acked uint64) {
	if !r.filling || !r.cur.room(len(raw)) {
		r.begin(acked)
	}
	r.cur.add(raw)
	pos := r.position(r.cur.counter)
	r.held[pos] = append(r.held[pos], held{seq: seq, key: key, bytes: len(raw)})
	r.at[seq] = r.cur.counter
}

// begin takes the next slot, after queueing the one being filled.
func (r *ring) begin(acked uint64) {
	r.queue()
	counter := r.next
	pos := r.position(counter)
	r.forget(pos)
	r.counters[pos] = counter
	r.next++
	r.cur = slot{id: r.id, counter: counter, acked: acked, data: r.cur.data[:0]}
	r.filling = true
	r.unsynced++
	r.sweep(r.position(counter + ringLead))
}

// forget drops what is at a position from the index.
func (r *ring) forget(pos int) {
	for _, h := range r.held[pos] {
		if r.at[h.seq] == r.counters[pos] {
			delete(r.at, h.seq)
		}
	}
	r.held[pos] = r.held[pos][:0]
	r.counters[pos] = 0
}

// sweep puts what is still open at a position, and nowhere newer, on the backlog. A slot that
// cannot be read has nothing to carry: Facts then counts its keys as not covered.
func (r *ring) sweep(pos int) {
	wanted := false
	for _, h := range r.held[pos] {
		wanted = wanted || (r.at[h.seq] == r.counters[pos] && r.live(h.seq, h.key))
	}
	if !wanted {
		return
	}
	block := make([]byte, slotBytes)
	if _, err := r.file.ReadAt(block, int64(pos)*slotBytes); err != nil {
		return
	}
	s, err := decodeSlot(block)
	if err != nil || s.counter != r.counters[pos] {
		return
	}
	s.each(func(raw []byte) {
		e, err := decodeEntry(raw)
		if err == nil && r.at[e.Seq] == s.counter && r.live(e.Seq, e.Key) {
			r.backlog = append(r.backlog, carried{seq: e.Seq, key: e.Key, raw: raw})
		}
	})
}

// carry moves the backlog into the slot being filled and, when that is full, into a few more.
func (r *ring) carry(acked uint64) {
	extra := 0
	for len(r.backlog) > 0 {
		c := r.backlog[0]
		if r.live(c.seq, c.key) {
			if !r.filling || !r.cur.room(len(c.raw)) {
				if r.crowded() {
					r.backlog = nil
					return
				}
				if extra++; extra > carrySlotsMax {
					return
				}
			}
			r.put(c.seq, c.key, c.raw, acked)
		}
		r.backlog = r.backlog[1:]
	}
	r.backlog = nil
}

// crowded says that open entries fill so much of the ring that carrying them on would make every
// commit write several slots. The oldest then fall out of the ring; bbolt still has them.
func (r *ring) crowded() bool {
	sum := 0
	r.eachLive(func(h held) { sum += h.bytes + slotLengthBytes })
	return sum > (len(r.counters)-ringLead)*slotDataBytes*3/4
}

func (r *ring) eachLive(fn func(held)) {
	for pos, hs := range r.held {
		for _, h := range hs {
			if r.at[h.seq] == r.counters[pos] && r.live(h.seq, h.key) {
				fn(h)
			}
		}
	}
}

// uncovered counts the open keys of which at least one entry is not in the ring.
func (r *ring) uncovered(open pending) int {
	entries := make(map[uint64]int, len(open))
	r.eachLive(func(h held) { entries[h.key]++ })
	n := 0
	for key, s := range open {
		if entries[key] < s.count {
			n++
		}
	}
	return n
}

// queue encodes the slot being filled and lines it up for write.
func (r *ring) queue() {
	if !r.filling {
		return
	}
	var block []byte
	if n := len(r.spare); n > 0 {
		block, r.spare = r.spare[n-1], r.spare[:n-1]
	} else {
		block = make([]byte, slotBytes)
	}
	r.cur.encode(block)
	offset := int64(r.position(r.cur.counter)) * slotBytes
	r.writes = append(r.writes, image{offset: offset, block: block})
}

// write hands what is queued to the kernel, where it survives a KILL. It touches nothing but
// writes, spare and the file, so that it may run beside readers of the index.
func (r *ring) write() error {
	for i, w := range r.writes {
		if _, err := r.file.WriteAt(w.block, w.offset); err != nil {
			return fmt.Errorf("write ring slot %d: %w", w.offset/slotBytes, err)
		}
		r.spare = append(r.spare, w.block)
		r.writes[i].block = nil
	}
	r.writes = r.writes[:0]
	return nil
}

// commit writes what is queued and returns when it is on the medium.
func (r *ring) commit() error {
	if err := r.write(); err != nil {
		return err
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("sync ring: %w", err)
	}
	return nil
}

// finish queues everything and closes the slot being filled: its entries are about to be
// acknowledged, and the next ones take another.
func (r *ring) finish(acked uint64) {
	r.carry(acked)
	r.queue()
	r.filling = false
	r.unsynced = 0
}
