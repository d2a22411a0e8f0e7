package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Examine reads what Open would read of a bbolt file, with bbolt and without writing, and returns
// what makes the file suspect, or "". What it meets may end the process, because bbolt panics in
// goroutines of its own and faults on pages that are not there: run it in a child, bounded in
// time, and take the child's death for a finding. Options.Examine is where Open asks for that.
func Examine(o Options) (found string, err error) {
	if err := o.setDefaults(); err != nil {
		return "", err
	}
	f, size, err := openIdle(o.Path)
	if err != nil {
		return "", fmt.Errorf("examine: %w", err)
	}
	defer f.Close()
	readHereAndThere(f)
	s := surveyFile(f, size)
	if s.newer != nil {
		return "", nil // Open says so
	}
	if len(s.faults) > 0 {
		return s.faults[0].String(), nil
	}
	if err := leadsNowhere(f, size); err != nil {
		return err.Error(), nil
	}
	debug.SetPanicOnFault(true)
	defer func() {
		if p := recover(); p != nil {
			found, err = fmt.Sprint(p), nil
		}
	}()
	if err := examineWithBolt(o.Path, f); err != nil {
		if errors.Is(err, ErrLocked) {
			return "", err
		}
		return err.Error(), nil
	}
	return "", nil
}

func examineWithBolt(path string, f io.ReaderAt) error {
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		ReadOnly: true, PreLoadFreelist: true, PageSize: pageBytes, Timeout: time.Second,
		FreelistType: bolt.FreelistArrayType,
		OpenFile: func(name string, _ int, _ os.FileMode) (*os.File, error) {
			return os.Open(name)
		},
	})
	if err != nil {
		return boltError(err)
	}
	defer db.Close() //nolint:errcheck // only read from
	return db.View(func(tx *bolt.Tx) error {
		var m journalMeta
		if err := m.read(tx); err != nil {
			return err
		}
		log := logOf(tx, f)
		log.last()
		err := tx.Bucket(bucketOpen).ForEach(func(_, v []byte) error {
			ref, ok := parseOpenRef(v)
			if !ok {
				return fmt.Errorf("%w: open index", ErrUnreadable)
			}
			for seq := ref.last; seq != 0; {
				e, err := decodeAt(seq, log.get(seq))
				if err != nil {
					return nil //nolint:nilerr // Open looks for another copy
				}
				seq = e.Prev
			}
			return log.fault()
		})
		return errors.Join(log.fault(), err)
	})
}
