package store

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// RotateKey gives a journal that nobody has open a new key: every secret is opened with the old
// one and sealed with the new, every chain is computed anew, and then the old key is destroyed.
// With it, whatever is left of what was sealed with it is unreadable: in pages and blocks that
// were given back, in copies, and in journals that were put aside.
//
// A power cut leaves the old journal with its key or the new one with its own; while both keys are
// needed the key file holds both, and the next Open drops the one that is not.
func RotateKey(o Options) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	j, err := Open(o) // brings ring and journal together, and mends what can be mended
	if err != nil {
		return err
	}
	if err := j.Close(); err != nil {
		return err
	}
	p := &opening{o: o}
	defer p.abandon()
	if err := p.rotate(); err != nil {
		return fmt.Errorf("rotate key: %w", err)
	}
	if j, err = Open(o); err != nil { // gives the new ring what it must hold
		return err
	}
	return j.Close()
}

func (p *opening) rotate() error {
	src, size, err := p.source()
	if err != nil {
		return err
	}
	defer src.Close()
	if err := p.readRing(); err != nil {
		return err
	}
	h, err := p.harvest(src, size)
	if err != nil {
		return err
	}
	if len(h.s.faults) > 0 {
		// Close has just said that the file is as it was left. It is, and nobody would look again.
		err := fmt.Errorf("%w: %s", ErrUnreadable, h.s.faults[0])
		leaveSuspicion(p.o.Path, err)
		return err
	}
	master, err := newMaster(&p.o)
	if err != nil {
		return err
	}
	if err := h.changeKey(p.keys, master); err != nil {
		return err
	}
	if err := p.copyOut(h); err != nil {
		os.Remove(p.o.Path + newSuffix) //nolint:errcheck // nobody opens it under that name
		return err
	}
	if err := writeKeys(p.o.KeyPath, master, p.keys.master); err != nil {
		return err
	}
	if err := moveInto(p.o.Path); err != nil {
		return err
	}
	if err := createRing(p.o.RingPath, ringSlots); err != nil {
		return err
	}
	return writeKeys(p.o.KeyPath, master)
}

// changeKey makes of a harvest that of a new journal with the same entries under another key.
func (h *harvest) changeKey(old *keyring, master masterKey) error {
	h.meta.prior = append([]byte(nil), h.meta.id[:]...)
	if _, err := io.ReadFull(rand.Reader, h.meta.id[:]); err != nil {
		return fmt.Errorf("journal id: %w", err)
	}
	keys := newKeyring(master, h.meta.id)
	h.meta.check = keys.check
	h.reseal = &resealing{old: old, keys: keys, c: keys.newChainer(), start: h.meta.chain}
	if h.meta.base == 0 {
		h.reseal.start = h.reseal.c.genesis(h.meta.id)
	}
	return nil
}

// resealing copies entries from under one key to under another.
type resealing struct {
	old, keys *keyring
	c         *chainer
	start     [16]byte // chain at base

	last  uint64
	chain [16]byte // of the entry at last, by the new key
}

// entry encodes e again. What is before it in the chain is the entry before, or the bridge.
func (r *resealing) entry(h *harvest, e *Entry) ([]byte, error) {
	again := *e
	if len(e.Sealed) > 0 {
		secret, err := r.old.unseal(e.Sealed, e.Seq, e.Key, e.Kind)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
		}
		again.Sealed, err = r.keys.seal(nil, secret, e.Seq, e.Key, e.Kind)
		if err != nil {
			return nil, err
		}
	}
	before := r.chain
	if bridge, known, ok := h.bridges.before(e.Seq); ok && known {
		before = bridge
	} else if e.Seq == h.meta.base+1 {
		before = r.start
	}
	raw := appendEntry(nil, &again)
	r.last, r.chain = e.Seq, r.c.next(before, raw)
	return finishEntry(raw, 0, r.chain), nil
}

// finish says where the new journal begins and ends, and what it was made from.
func (r *resealing) finish(h *harvest) {
	prior := binary.BigEndian.AppendUint64(h.meta.prior, h.last)
	h.meta.prior = append(prior, h.chain[:]...)
	h.meta.chain, h.c = r.start, r.c
	for seq := range h.bridges {
		if seq > r.last {
			h.bridges[seq] = append([]byte(nil), r.chain[:]...)
		}
	}
}

// LookupHash is a keyed hash of a value, a card number say, that is the same whenever the value
// is, in this journal and under this key only: entries can be found by it without the value.
func (j *Journal) LookupHash(value []byte) [16]byte {
	c := &chainer{mac: newMAC(j.keys.lookup)}
	return c.next([16]byte{}, value)
}
