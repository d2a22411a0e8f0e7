package store

import bolt "go.etcd.io/bbolt"

// Medium stands between a journal and its disk, so that a simulator can make the disk fail, or see
// what has reached it. The zero Medium leaves everything as it is.
type Medium struct {
	// Ring is asked once for the file that the ring is written through.
	Ring func(RingFile) RingFile
	// Commit is called for every transaction of the bbolt file and must call commit at most once;
	// what it returns is what the journal takes the transaction to have come to.
	Commit func(commit func() error) error
}

// RingFile is what the ring needs of its file. It is used by one goroutine at a time, not always
// the same.
type RingFile = ringFile

// OpenOn is [Open] with a medium in between.
func OpenOn(o Options, m Medium) (*Journal, error) {
	s := seams{ring: m.Ring}
	if m.Commit != nil {
		s.commit = func(db *bolt.DB, fn func(*bolt.Tx) error) error {
			return m.Commit(func() error { return db.Update(fn) })
		}
	}
	return open(o, s)
}
