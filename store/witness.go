package store

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Witness is one entry as it lies in the journal, with what its chain follows. Whoever has the key
// can tell that nobody without it has written or changed it, and where in the journal it stands.
type Witness struct {
	Seq    uint64
	Raw    []byte   // the whole entry, its chain and checksum included: FORMAT.md
	Before [16]byte // the chain of the entry before it
	Known  bool     // whether Before is: an earlier damage may have taken it
}

// Witness copies an entry out of the journal as it lies there.
func (j *Journal) Witness(seq uint64) (Witness, error) {
	out := Witness{Seq: seq}
	if err := j.alive(); err != nil {
		return out, err
	}
	if seq == 0 || seq > j.Last() {
		return out, fmt.Errorf("%w: entry %d is not on file", ErrCorrupt, seq)
	}
	err := j.ledger.viewLog(func(tx *bolt.Tx, log entryLog) error {
		raw := log.get(seq)
		if _, err := decodeAt(seq, raw); err != nil {
			return err
		}
		out.Raw = append([]byte(nil), raw...)
		return out.follow(tx, log)
	})
	return out, err
}

// follow finds what the chain of the entry follows: the entry before it, what the journal keeps of
// the last one it has forgotten, or a bridge over damage.
func (w *Witness) follow(tx *bolt.Tx, log entryLog) error {
	if raw := log.get(w.Seq - 1); raw != nil {
		e, err := decodeAt(w.Seq-1, raw)
		if err != nil {
			return nil //nolint:nilerr // the damage of another entry: its chain is not known
		}
		w.Before, w.Known = e.Chain, true
		return nil
	}
	var m journalMeta
	if err := m.read(tx); err != nil {
		return err
	}
	if w.Seq == m.base+1 {
		w.Before, w.Known = m.chain, true
		return nil
	}
	b, err := readBridges(tx)
	if err != nil {
		return fmt.Errorf("bridges: %w", err)
	}
	w.Before, w.Known, _ = b.before(w.Seq)
	return nil
}

// signPurpose is the label of the key that signs.
const signPurpose = "sign"

// Sign signs a message with a key of this journal (Ed25519, the seed derived from the key file with
// the label "sign"). It changes when the key is changed.
func (j *Journal) Sign(message []byte) (public, signature []byte) {
	j.mu.Lock()
	id := j.meta.id
	j.mu.Unlock()
	key := j.keys.signer(id)
	return key.Public().(ed25519.PublicKey), ed25519.Sign(key, message)
}

func (k *keyring) signer(id [16]byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(derive(k.master.key, signPurpose, id))
}

// Holder is somebody who has the key of a journal, though not the journal.
type Holder struct {
	keys *keyring
	id   [16]byte
}

// Hold opens a key: KeyPath of o, and its DeriveKey where a module makes the key. ErrOtherKey
// is for
// a key with which this public key does not go together: one of another journal, or one that has
// been changed since.
func Hold(o Options, id [16]byte, public []byte) (*Holder, error) {
	masters, err := readKeys(&o)
	if err != nil {
		return nil, err
	}
	for _, master := range masters {
		keys := newKeyring(master, id)
		if keys.signer(id).Public().(ed25519.PublicKey).Equal(ed25519.PublicKey(public)) {
			return &Holder{keys: keys, id: id}, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrOtherKey, o.KeyPath)
}

// Follows says whether an entry's chain is the one that it must have behind what is before it.
func (h *Holder) Follows(w Witness) bool {
	e, err := decodeAt(w.Seq, w.Raw)
	if err != nil || !w.Known {
		return false
	}
	return h.keys.newChainer().next(w.Before, chainedBytes(w.Raw)) == e.Chain
}

// Signed says whether a signature over a message is one of the key with this public part. Bytes of
// the wrong length are no signature.
func Signed(public, message, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize &&
		ed25519.Verify(ed25519.PublicKey(public), message, signature)
}

// ParseEntry reads an encoded entry that came from somewhere else. Its bytes are the entry's.
func ParseEntry(raw []byte) (Entry, error) {
	if len(raw) < entryBytesMin {
		return Entry{}, errEntryShort
	}
	return decodeAt(binary.BigEndian.Uint64(raw[4:]), raw)
}

// Public is the public part of the key that signs for this journal.
func (j *Journal) Public() []byte {
	public, _ := j.Sign(nil)
	return public
}
