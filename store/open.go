package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Options says where a journal lives. The directories must exist.
type Options struct {
	Path     string   // the bbolt file
	RingPath string   // default Path + ".ring"; better on another partition
	KeyPath  string   // default Path + ".key"; 32 random bytes, mode 0600
	Boot     [16]byte // which life of the machine this is; goes into every entry
	Terminal string   // recorded at creation; another one is refused; empty is not checked
	// AnyFilesystem accepts file systems on which Append's promise does not hold. Facts says so.
	AnyFilesystem bool
	SizeMax       int64         // of the bbolt file in bytes; default 64 MiB, at least 2 MiB
	LockTimeout   time.Duration // how long to wait for another process; default 1 s
}

func (o *Options) setDefaults() error {
	if o.Path == "" {
		return fmt.Errorf("%w: no path", ErrRefused)
	}
	if o.RingPath == "" {
		o.RingPath = o.Path + ".ring"
	}
	if o.KeyPath == "" {
		o.KeyPath = o.Path + ".key"
	}
	if o.SizeMax == 0 {
		o.SizeMax = sizeMaxDefault
	}
	if o.SizeMax < sizeMaxLeast {
		return fmt.Errorf("%w: size limit %d bytes, at least %d", ErrRefused,
			o.SizeMax, sizeMaxLeast)
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = time.Second
	}
	return nil
}

// seams are where tests put their faults. The zero value has none.
type seams struct {
	ring   func(ringFile) ringFile
	commit func(*bolt.DB, func(*bolt.Tx) error) error
}

// Open opens a journal, or creates it when neither it nor its key nor its ring was ever there.
//
// It reads the index of open keys and their entries, and the ring; nothing grows with what is
// closed. Entries that only the ring holds are added to bbolt, and what the ring lacks is added
// to the ring, before Open returns. When the last run ended with a failed write, everything good
// is first copied into new files, because what the page cache shows of the old ones may not be
// on the medium; the old journal is kept beside the new one as .quarantine-N.
func Open(o Options) (*Journal, error) { return open(o, seams{}) }

func open(o Options, s seams) (*Journal, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	p := &opening{o: o, s: s}
	j, err := p.run()
	if err != nil {
		p.abandon()
		return nil, err
	}
	return j, nil
}

// opening is a journal on its way to being open.
type opening struct {
	o Options
	s seams
	f Facts

	ledger  *ledger
	meta    journalMeta
	keys    *keyring
	chainer *chainer
	ring    *os.File
	image   *ringImage

	last     uint64   // newest entry in bbolt
	chain    [16]byte // and its chain
	lastRaw  record
	open     pending
	stories  []record // entries of open keys, oldest first within a key
	damaged  []uint64 // open keys with an entry that no copy has whole
	mendable bool     // bbolt lacks something that the ring has
}

func (p *opening) abandon() {
	if p.ledger != nil {
		p.ledger.close() //nolint:errcheck,gosec // already failing
	}
	if p.ring != nil {
		p.ring.Close() //nolint:errcheck,gosec // already failing
	}
}

func (p *opening) run() (*Journal, error) {
	if err := p.checkFilesystems(); err != nil {
		return nil, err
	}
	created, err := ensure(&p.o)
	if err != nil {
		return nil, err
	}
	p.f.Created = created
	if err := p.openFiles(); err != nil {
		return nil, err
	}
	suspicion, err := readSuspicion(p.o.Path)
	if err != nil {
		return nil, err
	}
	if suspicion == "" {
		if err := p.load(); err != nil {
			return nil, err
		}
		if p.mendable {
			suspicion = "an entry is damaged and the ring has a copy of it"
		}
	}
	if suspicion != "" {
		if err := p.rebuild(suspicion); err != nil {
			return nil, fmt.Errorf("rebuild journal: %w", err)
		}
		if err := clearSuspicion(p.o.Path); err != nil {
			return nil, err
		}
		if err := p.load(); err != nil {
			return nil, err
		}
	}
	return p.join()
}

func (p *opening) checkFilesystems() error {
	paths := map[*string]string{
		&p.f.Filesystem: p.o.Path, &p.f.RingFilesystem: p.o.RingPath,
	}
	for name, path := range paths {
		fsName, unfit, err := filesystemOf(path)
		if err != nil {
			return err
		}
		*name = fsName
		if unfit && !p.o.AnyFilesystem {
			return fmt.Errorf("%w: %s is on %s", ErrFilesystem, path, fsName)
		}
		p.f.FilesystemOverridden = p.f.FilesystemOverridden || unfit
	}
	return nil
}

// openFiles opens all three and makes sure they belong together.
func (p *opening) openFiles() error {
	var err error
	if p.ledger, err = openLedger(p.o.Path, p.o.LockTimeout, p.o.SizeMax); err != nil {
		return err
	}
	if err := p.ledger.view(p.meta.read); err != nil {
		return fmt.Errorf("open %s: %w", p.o.Path, err)
	}
	if p.o.Terminal != "" && p.meta.terminal != "" && p.o.Terminal != p.meta.terminal {
		return fmt.Errorf("%w: %s, not %s", ErrOtherTerminal, p.meta.terminal, p.o.Terminal)
	}
	if p.keys, err = unlock(p.o.KeyPath, &p.meta); err != nil {
		return err
	}
	p.chainer = p.keys.newChainer()
	return p.openRing()
}

// openRing reads the ring, or makes a new one when it is gone or was cut short: the journal is
// there, so nothing but the second copy is lost, and Facts says so.
func (p *opening) openRing() error {
	info, err := os.Stat(p.o.RingPath)
	whole := err == nil && info.Mode().IsRegular() && info.Size() >= 2*ringLead*slotBytes &&
		info.Size() <= ringBytesMax
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open ring: %w", permission(err))
	}
	if !whole {
		if err := createRing(p.o.RingPath, ringSlots); err != nil {
			return err
		}
		p.f.RingRecreated = true
	}
	if p.ring, err = os.OpenFile(p.o.RingPath, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("open ring: %w", permission(err))
	}
	if info, err = p.ring.Stat(); err != nil {
		return fmt.Errorf("open ring: %w", err)
	}
	if p.image, err = readRingImage(p.ring, int(info.Size()/slotBytes)); err != nil {
		return err
	}
	p.f.RingDamaged = p.image.damaged
	if n := p.image.foreign(p.meta.id); n > 0 {
		return fmt.Errorf("%w: %d slots of %s are of another journal", ErrLost, n, p.o.RingPath)
	}
	return nil
}

// load reads the newest entry, and the stories of open keys.
func (p *opening) load() error {
	p.last, p.chain, p.lastRaw = p.meta.base, p.meta.chain, record{}
	p.open, p.stories, p.damaged, p.mendable = make(pending), nil, nil, false
	return p.ledger.view(func(tx *bolt.Tx) error {
		log := tx.Bucket(bucketLog)
		if k, v := log.Cursor().Last(); k != nil {
			if len(k) != 8 {
				return fmt.Errorf("%w: log key of %d bytes", ErrUnreadable, len(k))
			}
			seq := binary.BigEndian.Uint64(k)
			e, raw, err := p.best(seq, v)
			if err != nil {
				return err
			}
			p.last, p.chain = seq, e.Chain
			p.lastRaw = record{seq: seq, key: e.Key, raw: bytes.Clone(raw)}
		}
		return tx.Bucket(bucketOpen).ForEach(func(k, v []byte) error {
			if len(k) != 8 || len(v) != 8 {
				return fmt.Errorf("%w: open index", ErrUnreadable)
			}
			p.loadStory(log, binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(v))
			return nil
		})
	})
}

// loadStory walks an open key back from its newest entry.
func (p *opening) loadStory(log *bolt.Bucket, key, last uint64) {
	s := story{since: last, last: last}
	var chapters []record
	for seq := last; seq != 0; s.count++ {
		e, raw, err := p.best(seq, log.Get(binary.BigEndian.AppendUint64(nil, seq)))
		if err != nil || e.Key != key {
			p.damaged = append(p.damaged, key)
			break
		}
		chapters = append(chapters, record{seq: seq, key: key, raw: bytes.Clone(raw)})
		s.since, seq = seq, e.Prev
	}
	for i := len(chapters) - 1; i >= 0; i-- {
		p.stories = append(p.stories, chapters[i])
	}
	p.open[key] = s
}

// best decodes what bbolt has of an entry or, when that is damaged or gone, what the ring has.
func (p *opening) best(seq uint64, v []byte) (Entry, []byte, error) {
	e, err := decodeAt(seq, v)
	if err == nil {
		return e, v, nil
	}
	if copies := p.image.entries[seq]; len(copies) > 0 {
		p.mendable = true
		return copies[0].entry, copies[0].raw, nil
	}
	return e, nil, err
}

// decodeAt decodes the value of the log at seq; v is nil when there is none.
func decodeAt(seq uint64, v []byte) (Entry, error) {
	if v == nil {
		return Entry{}, fmt.Errorf("entry %d: %w: missing", seq, ErrCorrupt)
	}
	e, err := decodeEntry(v)
	switch {
	case err != nil:
		return e, fmt.Errorf("entry %d: %w: %w", seq, ErrCorrupt, err)
	case e.Seq != seq:
		return e, fmt.Errorf("entry %d: %w: holds entry %d", seq, ErrCorrupt, e.Seq)
	}
	return e, nil
}
