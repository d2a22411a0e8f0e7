package store_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"reversald/store"
)

// TestWitness: every entry can be shown to whoever has the key, and no byte of it can be changed.
func TestWitness(t *testing.T) {
	t.Parallel()
	j := mustOpen(t, options(t.TempDir()))
	defer func() { _ = j.Close() }()
	for i := range uint64(5) {
		mustAppend(t, j, store.Draft{
			Key: i + 1, Kind: 1, Mark: store.MarkOpen, Payload: []byte("{}"), Secret: []byte("secret"),
		})
	}
	message := []byte("five entries")
	public, signature := j.Sign(message)
	if !store.Signed(public, message, signature) || store.Signed(public, message[1:], signature) ||
		store.Signed(public[1:], message, signature) || store.Signed(public, message, signature[1:]) {
		t.Error("a signature proves nothing")
	}
	raw, err := hex.DecodeString(j.Facts().ID)
	if err != nil {
		t.Fatal(err)
	}
	id := [16]byte(raw)
	holder, err := store.Hold(store.Options{KeyPath: j.Facts().KeyPath}, id, public)
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= 5; seq++ {
		w, err := j.Witness(seq)
		if err != nil {
			t.Fatal(err)
		}
		if !holder.Follows(w) {
			t.Errorf("entry %d does not follow", seq)
		}
		if e, err := store.ParseEntry(w.Raw); err != nil || e.Seq != seq || string(e.Payload) != "{}" {
			t.Errorf("entry %d reads %+v, %v", seq, e, err)
		}
		for at := range w.Raw {
			bad := w
			bad.Raw = bytes.Clone(w.Raw)
			bad.Raw[at] ^= 1
			if holder.Follows(bad) {
				t.Fatalf("entry %d follows with byte %d changed", seq, at)
			}
		}
		bad := w
		bad.Before[0] ^= 1
		if holder.Follows(bad) {
			t.Errorf("entry %d follows anything", seq)
		}
		bad = w
		bad.Seq++
		if holder.Follows(bad) {
			t.Errorf("entry %d follows in another place", seq)
		}
	}
	if _, err := j.Witness(6); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("an entry that is not there: %v", err)
	}
	other := mustOpen(t, options(t.TempDir()))
	defer func() { _ = other.Close() }()
	if _, err := store.Hold(store.Options{KeyPath: other.Facts().KeyPath}, id, public); !errors.Is(err, store.ErrOtherKey) {
		t.Errorf("another journal's key: %v", err)
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 84))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if e, err := store.ParseEntry(raw); err == nil && e.Seq == 0 {
			t.Error("an entry without a number")
		}
	})
}
