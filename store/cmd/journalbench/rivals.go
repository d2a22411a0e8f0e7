package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

// entryBytes are the three entries of a sale as they lie in our file.
var entryBytes = [3]int{532, 192, 86}

// plain is bbolt used plainly: an entry and what is open, each change in a transaction of its own.
func plain(change func(func(*bolt.Tx) error) error, step int, key uint64) (uint64, error) {
	seq := uint64(0)
	err := change(func(tx *bolt.Tx) (err error) {
		seq, err = plainEntry(tx, step, key)
		return err
	})
	if step == 0 {
		key = seq
	}
	return key, err
}

// plainEntry writes one entry, and what it opens or closes. key counts from the second step on.
func plainEntry(tx *bolt.Tx, step int, key uint64) (seq uint64, err error) {
	log, open := tx.Bucket([]byte("log")), tx.Bucket([]byte("open"))
	if seq, err = log.NextSequence(); err != nil {
		return 0, err
	}
	if step == 0 {
		key = seq
	}
	k, at := binary.BigEndian.AppendUint64(nil, key), binary.BigEndian.AppendUint64(nil, seq)
	if err := log.Put(at, make([]byte, entryBytes[step])); err != nil {
		return 0, err
	}
	if step == 2 {
		return seq, open.Delete(k)
	}
	return seq, open.Put(k, at)
}

// groupedSales is bbolt behind one goroutine that commits whatever waits: what our journal is, but
// for its chain, its seal, its ring and what it knows of each payment.
func groupedSales(dir string, lasts time.Duration) (result, error) {
	db, done, err := openPlain(dir)
	if err != nil {
		return result{}, err
	}
	defer done()
	var held []order // nobody waits for these
	return sellAtOnce(64, lasts, func(batch []order) (int, error) {
		held = append(held, batch...)
		if !slices.ContainsFunc(batch, func(o order) bool { return o.done != nil }) {
			return 0, nil
		}
		seqs := make([]uint64, len(held))
		err := db.Update(func(tx *bolt.Tx) (err error) {
			for i, o := range held {
				if seqs[i], err = plainEntry(tx, o.step, o.key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 1, err
		}
		for i, o := range held {
			switch {
			case o.done == nil:
			case o.step == 0:
				o.done <- seqs[i]
			default:
				o.done <- o.key
			}
		}
		held = held[:0]
		return 1, nil
	})
}

func openPlain(dir string) (db *bolt.DB, done func(), err error) {
	place, err := os.MkdirTemp(dir, "bbolt")
	if err != nil {
		return nil, nil, err
	}
	db, err = bolt.Open(filepath.Join(place, "plain.db"), 0o600, nil)
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		_ = db.Close() // it is thrown away
		_ = os.RemoveAll(place)
	}
	return db, done, db.Update(func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucket([]byte("log")); err != nil {
			return err
		}
		_, err := tx.CreateBucket([]byte("open"))
		return err
	})
}

// boltSales lets 64 apps sell into bbolt by themselves, with Update or with Batch.
func boltSales(dir string, lasts time.Duration, batch bool) (result, error) {
	const apps = 64
	db, done, err := openPlain(dir)
	if err != nil {
		return result{}, err
	}
	defer done()
	change := db.Update
	if batch {
		change = db.Batch
	}
	var sales atomic.Int64
	var selling sync.WaitGroup
	failed := make(chan error, apps)
	began := time.Now()
	for range apps {
		selling.Add(1)
		go func() {
			defer selling.Done()
			for time.Since(began) < lasts {
				key := uint64(0)
				for step := range 3 {
					var err error
					if key, err = plain(change, step, key); err != nil {
						failed <- err
						return
					}
				}
				sales.Add(1)
			}
		}()
	}
	selling.Wait()
	close(failed)
	return result{sales: float64(sales.Load()) / time.Since(began).Seconds()}, <-failed
}

// logSales is the fastest there is: a file of zeros to which whatever waits is appended with one
// write and one sync. It can not say what is open, forget anything, or lose a page and go on.
func logSales(dir string, lasts time.Duration) (result, error) {
	place, err := os.MkdirTemp(dir, "log")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(place)
	f, err := os.Create(filepath.Join(place, "log"))
	if err != nil {
		return result{}, err
	}
	defer f.Close()
	const logBytes = 64 << 20
	if _, err := f.Write(make([]byte, logBytes)); err != nil {
		return result{}, err
	}
	if err := f.Sync(); err != nil {
		return result{}, err
	}
	var text []byte
	at, seq := int64(0), uint64(0)
	return sellAtOnce(64, lasts, func(batch []order) (int, error) {
		waiting := false
		for _, o := range batch {
			text = append(text, make([]byte, entryBytes[o.step])...)
			waiting = waiting || o.done != nil
		}
		if !waiting {
			return 0, nil // goes with the next
		}
		if at+int64(len(text)) > logBytes {
			at = 0
		}
		if _, err := f.WriteAt(text, at); err != nil {
			return 0, err
		}
		at, text = at+int64(len(text)), text[:0]
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		for _, o := range batch {
			if o.done != nil {
				seq++
				o.done <- seq
			}
		}
		return 1, nil
	})
}
