package store

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Limits of one draft and of one Append.
const (
	PayloadBytesMax = 3072
	SecretBytesMax  = 256
	BatchBytesMax   = 48 << 10
)

// Options says where a journal lives.
type Options struct {
	Path          string        // the bbolt file
	RingPath      string        // default: Path with .ring
	KeyPath       string        // default: Path with .key
	Boot          [16]byte      // which life of the machine this is
	Terminal      string        // recorded at creation; "" is not checked
	AnyFilesystem bool          // accept a file system that cannot keep a journal
	SizeMax       int64         // default 64 MiB
	LockTimeout   time.Duration // default 1 s
}

// Facts is what a person asks about a journal.
type Facts struct {
	Path, RingPath, KeyPath string
}

// Journal is an open journal.
type Journal struct {
	opt     Options
	db      *bolt.DB
	mu      sync.Mutex
	last    uint64
	noted   []Entry
	open    map[uint64][]Entry
	changed chan struct{}
}

// Open opens or creates.
func Open(o Options) (*Journal, error) {
	db, err := bolt.Open(o.Path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	j := &Journal{opt: o, db: db, open: map[uint64][]Entry{}, changed: make(chan struct{})}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte("log"))
		return err
	})
	if err != nil {
		return nil, err
	}
	es, err := j.Scan(1, 1<<30)
	for _, e := range es {
		j.apply(e)
	}
	return j, err
}

func (j *Journal) apply(e Entry) {
	j.last = e.Seq
	_, is := j.open[e.Key]
	switch {
	case e.Mark == MarkClose:
		delete(j.open, e.Key)
	case is || e.Mark == MarkOpen:
		j.open[e.Key] = append(j.open[e.Key], e)
	}
}

// Append writes drafts, and what was noted, in one transaction.
func (j *Journal) Append(ds ...Draft) (first uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := j.noted
	first = j.last + uint64(len(all)) + 1
	for i, d := range ds {
		all = append(all, entryOf(d, first+uint64(i)))
	}
	err = j.db.Update(func(tx *bolt.Tx) error {
		for _, e := range all {
			v, err := json.Marshal(e)
			if err != nil {
				return err
			}
			k := binary.BigEndian.AppendUint64(nil, e.Seq)
			if err := tx.Bucket([]byte("log")).Put(k, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, errors.Join(ErrUnknown, err)
	}
	for _, e := range all {
		j.apply(e)
	}
	j.noted = nil
	close(j.changed)
	j.changed = make(chan struct{})
	return first, nil
}

func entryOf(d Draft, seq uint64) Entry {
	return Entry{
		Seq: seq, Key: d.Key, Kind: d.Kind, Mark: d.Mark, Wall: d.Wall, Mono: d.Mono,
		Payload: d.Payload, Sealed: d.Secret,
	}
}

// Note writes one draft into the ring without waiting.
func (j *Journal) Note(d Draft) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	seq := j.last + uint64(len(j.noted)) + 1
	j.noted = append(j.noted, entryOf(d, seq))
	return seq, nil
}

// Flush commits what was noted.
func (j *Journal) Flush() error { _, err := j.Append(); return err }

// Noted counts what waits for the next Append or Flush.
func (j *Journal) Noted() int { j.mu.Lock(); defer j.mu.Unlock(); return len(j.noted) }

// Next is the seq the next draft will get.
func (j *Journal) Next() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last + uint64(len(j.noted)) + 1
}

// OpenKeys lists the keys that are open, ascending.
func (j *Journal) OpenKeys() []uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	var ks []uint64
	for k := range j.open {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

// Story is every entry of an open key since it opened.
func (j *Journal) Story(key uint64) ([]Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	es, ok := j.open[key]
	if !ok {
		return nil, ErrNotOpen
	}
	return slices.Clone(es), nil
}

// History is every entry of any key.
func (j *Journal) History(key uint64, max int) ([]Entry, error) {
	es, err := j.Scan(key, 1<<30)
	var out []Entry
	for _, e := range es {
		if e.Key == key && len(out) < max {
			out = append(out, e)
		}
	}
	return out, err
}

// Scan is a page of entries.
func (j *Journal) Scan(from uint64, max int) (es []Entry, err error) {
	err = j.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte("log")).Cursor()
		for k, v := c.Seek(binary.BigEndian.AppendUint64(nil, from)); k != nil && len(es) < max; k, v = c.Next() {
			var e Entry
			if err := json.Unmarshal(v, &e); err != nil {
				return err
			}
			es = append(es, e)
		}
		return nil
	})
	return es, err
}

// Last is the newest committed seq.
func (j *Journal) Last() uint64 { j.mu.Lock(); defer j.mu.Unlock(); return j.last }

// Changed is closed at the next commit.
func (j *Journal) Changed() <-chan struct{} { j.mu.Lock(); defer j.mu.Unlock(); return j.changed }

// Facts are for people.
func (j *Journal) Facts() Facts { return Facts{Path: j.opt.Path} }

// Unseal opens the secret of an entry.
func (j *Journal) Unseal(e Entry) ([]byte, error) { return e.Sealed, nil }

// Close ends it.
func (j *Journal) Close() error { return j.db.Close() }
