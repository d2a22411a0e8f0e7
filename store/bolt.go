package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// pageBytes: smaller pages would put both of bbolt's meta pages into one block of the medium.
const pageBytes = 4096

// The buckets, besides those of the tail. open and meta stay below a quarter of a page, so that
// bbolt keeps them inside the root page, which every commit writes anyway.
var (
	bucketLog    = []byte("log")  // seq → entry, but for the newest: see entryLog
	bucketOpen   = []byte("open") // key → seq of its newest entry
	bucketMeta   = []byte("meta")
	bucketBridge = []byte("bridge") // entry behind a gap → chain before it
)

// ledger is the bbolt file. Every call into bbolt goes through it, because bbolt panics on a
// corrupt page, and a panic leaves its locks held: after one the handle is only dropped. A page
// number that points nowhere is not even a panic but a fault, unless it is asked to be one.
type ledger struct {
	path     string
	db       *bolt.DB
	file     *os.File
	panicked bool
	txid     int // of the last commit; 0: none yet
	commitFn func(*bolt.DB, func(*bolt.Tx) error) error
}

// openLedger opens an existing bbolt file, looking at its two meta pages first: a page number
// beyond the end of the file would end the process with a bus error that nothing can catch.
func openLedger(path string, timeout time.Duration, mapBytes int64) (l *ledger, err error) {
	l = &ledger{path: path, commitFn: (*bolt.DB).Update}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrUnreadable, p)
		}
		if err != nil {
			l.drop()
			l, err = nil, fmt.Errorf("open %s: %w", path, err)
		}
	}()
	l.db, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout:         timeout,
		PageSize:        pageBytes,
		FreelistType:    bolt.FreelistArrayType, // lowest page first: writes lie close together
		InitialMmapSize: int(mapBytes),          // never remapped: a reader never stops the writer
		OpenFile: func(name string, flag int, _ os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag&^os.O_CREATE, 0)
			switch {
			case errors.Is(err, syscall.EISDIR):
				return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
			case err != nil:
				return nil, permission(err)
			}
			l.file = f
			readHereAndThere(f)
			if err := preflight(f); err != nil {
				if lerr := tryLock(f); errors.Is(lerr, ErrLocked) {
					return nil, lerr // being written to: what was seen says nothing
				}
				return nil, err
			}
			return f, nil
		},
	})
	if err != nil {
		return l, boltError(err)
	}
	// Whoever waited for the lock may have got it on a file that was moved aside meanwhile.
	if now, serr := os.Stat(path); serr == nil {
		if mine, ferr := l.file.Stat(); ferr == nil && !os.SameFile(now, mine) {
			return l, ErrLocked
		}
	}
	return l, nil
}

// boltError says in our words what bbolt refuses a file for.
func boltError(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return ErrLocked
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum),
		errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return err
}

// preflight reads what bbolt would follow without looking.
func preflight(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: not a regular file", ErrUnreadable)
	case info.Size() == 0:
		return ErrEmpty
	}
	_, err = newestMeta(f, info.Size())
	return err
}

// goodMetas counts bbolt's meta pages that are whole.
func goodMetas(r io.ReaderAt) int {
	n := 0
	for page := range int64(2) {
		block := make([]byte, pageBytes)
		if _, err := r.ReadAt(block, page*pageBytes); err != nil {
			continue
		}
		if _, ok := parseBoltMeta(block); ok {
			n++
		}
	}
	return n
}

// newestMeta reads both meta pages and takes the newer good one, if what it says fits the file.
func newestMeta(r io.ReaderAt, size int64) (boltMeta, error) {
	var newest boltMeta
	if size < 4*pageBytes {
		return newest, fmt.Errorf("%w: %d bytes long", ErrUnreadable, size)
	}
	found, newer := false, false
	for page := range int64(2) {
		block := make([]byte, pageBytes)
		if _, err := r.ReadAt(block, page*pageBytes); err != nil {
			return newest, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		m, ok := parseBoltMeta(block)
		newer = newer || (ok && m.version > boltVersion)
		if ok && m.version == boltVersion && (!found || m.txid > newest.txid) {
			newest, found = m, true
		}
	}
	switch {
	case !found && newer:
		return newest, fmt.Errorf("%w: of bbolt", ErrNewer)
	case !found:
		return newest, fmt.Errorf("%w: not a bbolt file, or both its meta pages are damaged",
			ErrUnreadable)
	case newest.pageSize != pageBytes:
		return newest, fmt.Errorf("%w: pages of %d bytes", ErrUnreadable, newest.pageSize)
	case newest.freelist == noFreelist:
		return newest, fmt.Errorf("%w: without a freelist", ErrUnreadable)
	case newest.root >= newest.end, newest.freelist >= newest.end:
		return newest, fmt.Errorf("%w: meta page points beyond the end", ErrUnreadable)
	case newest.end > uint64(size/pageBytes):
		return newest, fmt.Errorf("%w: cut short, %d of %d pages", ErrUnreadable,
			size/pageBytes, newest.end)
	}
	return newest, nil
}

// bbolt's meta page: 16 bytes of page header, then these fields in the byte order of the machine,
// then FNV-1a over them.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	noFreelist  = ^uint64(0)
)

type boltMeta struct {
	version, pageSize         uint32
	root, freelist, end, txid uint64
}

func parseBoltMeta(page []byte) (boltMeta, bool) {
	b, ne := page[16:], binary.NativeEndian
	h := fnv.New64a()
	h.Write(b[:56])
	if ne.Uint32(b) != boltMagic || ne.Uint64(b[56:]) != h.Sum64() {
		return boltMeta{}, false
	}
	return boltMeta{
		version: ne.Uint32(b[4:]), pageSize: ne.Uint32(b[8:]),
		root: ne.Uint64(b[16:]), freelist: ne.Uint64(b[32:]),
		end: ne.Uint64(b[40:]), txid: ne.Uint64(b[48:]),
	}, true
}

// view runs fn in a read transaction. What fn keeps it must copy. Where bbolt panics, word is left
// for the next Open: who ends because of a page that cannot be read would else meet it again, start
// after start.
func (l *ledger) view(fn func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrUnreadable, p)
			leaveSuspicion(l.path, err)
		}
	}()
	err = l.db.View(fn)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// viewLog is view for what reads the log. A page of it that can not be read is as bad as a panic.
func (l *ledger) viewLog(fn func(tx *bolt.Tx, log entryLog) error) error {
	return l.view(func(tx *bolt.Tx) error {
		log := logOf(tx, l.file)
		err := fn(tx, log)
		if fault := log.fault(); fault != nil {
			leaveSuspicion(l.path, fault)
			return fault
		}
		return err
	})
}

// update runs fn in a write transaction and commits it. After an error nobody knows. Should the
// newest meta page be damaged under us, bbolt would go on from the one before, and the last commit
// would be gone without a sign: the number of the transaction tells.
func (l *ledger) update(fn func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			l.panicked = true
			err = fmt.Errorf("%w: %v", ErrUnreadable, p)
		}
	}()
	id := 0
	err = l.commitFn(l.db, func(tx *bolt.Tx) error {
		id = tx.ID()
		if l.txid != 0 && id != l.txid+1 {
			return fmt.Errorf("%w: its newest meta page is damaged", ErrUnreadable)
		}
		return fn(tx)
	})
	if err == nil {
		l.txid = id
	}
	return err
}

// close waits for readers. After a panic bbolt would wait for ever for its own locks, so then
// only the file is closed, and the lock on it given back.
func (l *ledger) close() error {
	if l.panicked {
		l.drop()
		return nil
	}
	return l.db.Close()
}

// drop lets go of the file without asking bbolt. The lock is given back by hand: what is still
// mapped would hold it.
func (l *ledger) drop() {
	if l.file != nil {
		unlockFile(l.file)
		l.file.Close() // nothing was written through it that counts
	}
}

// record is an encoded entry and what it does to the index.
type record struct {
	seq, key uint64
	mark     Mark
	raw      []byte
}

// putRecords adds entries to the log and brings the open index up to what it is after them.
func putRecords(tx *bolt.Tx, rs []record, open pending) error {
	err := putLog(tx, rs, len(open))
	index := tx.Bucket(bucketOpen)
	for _, r := range rs {
		if r.key == 0 {
			continue
		}
		k := logKey(r.key)
		s, is := open[r.key]
		if !is {
			err = errors.Join(err, index.Delete(k))
			continue
		}
		err = errors.Join(err, index.Put(k, openRef{last: s.last, damage: s.damage}.value()))
	}
	return err
}

// exists reports whether something has that name; an error other than absence is an error.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, permission(err)
}
