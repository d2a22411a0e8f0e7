package store

import (
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
	KeyPath  string   // default Path + ".key"; mode 0600
	Boot     [16]byte // which life of the machine this is; goes into every entry
	Terminal string   // recorded at creation; another one is refused; empty is not checked
	// AnyFilesystem accepts file systems on which Append's promise does not hold. Facts says so.
	AnyFilesystem bool
	SizeMax       int64         // of the bbolt file in bytes; default 64 MiB, at least 2 MiB
	LockTimeout   time.Duration // how long to wait for another process; default 1 s
	// DeriveKey makes the key, 32 bytes, of 32 random ones that lie in the key file: a secure
	// module does, with a key that never leaves it. The same salt must give the same key for ever,
	// and no other. Nil: the key itself lies in the key file. Only new journals, and RotateKey,
	// begin with what is set here; Facts says when an older one does not.
	DeriveKey func(salt []byte) (key []byte, err error)
	// KeyInClear puts a new key into the key file itself, though there is a DeriveKey: for
	// RotateKey away from a module, which is needed once more to read the journal.
	KeyInClear bool
	// Examine looks at the files of a journal that was not closed well, in a process of its own,
	// because what it meets may end that process: see Examine. It returns what makes the files
	// suspect, or "". Nil: nobody looks, and damage is met as it comes.
	Examine func(Options) (string, error)
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
	// Not for tests: what a command asks Open for.
	compact    bool
	salvage    bool
	acceptLoss bool
}

// Open opens a journal, or creates it when neither it nor its key nor its ring was ever there.
//
// It reads the index of open keys and their entries, and the ring; nothing grows with what is
// closed. Entries that only the ring holds are added to bbolt, and what the ring lacks is added
// to the ring, before Open returns. When a file is damaged, or gone while its ring is there, or of
// an older format, or when the last run ended with a failed write, everything good is first
// copied into new files; the old journal is kept beside the new one as .quarantine-N.
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

	ledger   *ledger
	meta     journalMeta
	keys     *keyring
	chainer  *chainer
	ring     *os.File
	image    *ringImage
	ringLost bool // it was gone or cut short

	last      uint64   // newest entry in bbolt
	chain     [16]byte // and its chain
	lastRaw   record
	open      pending
	stories   []record // entries of open keys, oldest first within a key
	newDamage bool     // an open key lacks an entry, and the index does not know
	mends     []record // what bbolt lacks and the ring has
	stays     bool     // there was no room for a copy: one goes on with the old file
}

// cause is why a journal is copied into new files.
type cause struct {
	text    string
	keep    string // what the old file is called from then on; empty: it is not kept
	inPlace bool   // without room for a copy, one can go on with the old file
}

func (c cause) there() bool { return c.text != "" }

const quarantine = ".quarantine"

func (p *opening) abandon() {
	if p.ledger != nil {
		p.ledger.close() //nolint:errcheck // already failing, or opened again
	}
	if p.ring != nil {
		p.ring.Close() // the same
	}
	p.ledger, p.ring = nil, nil
}

func (p *opening) run() (*Journal, error) {
	if err := p.checkFilesystems(); err != nil {
		return nil, err
	}
	created, gone, err := ensure(&p.o)
	if err != nil {
		return nil, err
	}
	p.f.Created = created
	why, err := p.suspect(gone)
	if err != nil {
		return nil, err
	}
	const rebuildsMax = 2
	for n := 0; ; n++ {
		if !why.there() {
			if why, err = p.openFiles(); err != nil {
				return nil, err
			}
		}
		if !why.there() {
			break
		}
		if n == rebuildsMax {
			return nil, fmt.Errorf("%w: even its copy: %s", ErrUnreadable, why.text)
		}
		if err := p.rebuildFor(why); err != nil {
			return nil, fmt.Errorf("rebuild journal: %w", err)
		}
		why = cause{}
	}
	return p.join()
}

// suspect says why the files must not be opened as they are.
func (p *opening) suspect(gone bool) (cause, error) {
	if gone {
		return cause{text: "the journal was gone, its ring was there"}, nil
	}
	text, err := readSuspicion(p.o.Path)
	if err != nil {
		return cause{}, err
	}
	if text != "" {
		return cause{text: text, keep: quarantine, inPlace: true}, nil
	}
	if p.s.salvage {
		return cause{text: "salvage was asked for", keep: quarantine}, nil
	}
	if p.o.Examine == nil || p.f.Created || closedWell(p.o.Path) {
		return cause{}, nil
	}
	found, err := p.o.Examine(p.o)
	if err != nil || found == "" {
		return cause{}, err
	}
	return cause{text: found, keep: quarantine}, nil
}

func (p *opening) rebuildFor(why cause) error {
	if p.image == nil {
		if err := p.readRing(); err != nil {
			return err
		}
	}
	return p.rebuild(why)
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

// openFiles opens all three, makes sure they belong together, and reads what is open. A cause says
// that they must be copied first.
func (p *opening) openFiles() (cause, error) {
	err := p.openLedger()
	if err == nil {
		err = p.openRing()
	}
	if err == nil && p.meta.format < formatVersion {
		text := fmt.Sprintf("format %d", p.meta.format)
		return cause{text: text, keep: olderFormat(p.meta.format)}, nil
	}
	if err == nil {
		err = p.load()
	}
	if err == nil && (p.ringLost || p.image.damaged > 0) && goodMetas(p.ledger.file) < 2 {
		err = p.searchLastCommit()
	}
	switch {
	case errors.Is(err, ErrUnreadable), errors.Is(err, ErrEmpty), errors.Is(err, ErrCorrupt):
		return cause{text: err.Error(), keep: quarantine}, nil
	case err != nil:
		return cause{}, err
	case len(p.mends) > 0 && p.stays:
		if err := p.mend(); err != nil {
			return cause{}, err
		}
	case len(p.mends) > 0:
		text := "an entry is damaged and the ring has a copy of it"
		return cause{text: text, keep: quarantine, inPlace: true}, nil
	case p.newDamage:
		return cause{text: "an entry of an open key is damaged", keep: quarantine}, nil
	case p.keys.spare:
		if err := writeKeys(p.o.KeyPath, p.keys.master); err != nil {
			return cause{}, err
		}
		p.keys.spare = false
	}
	if !p.stays && p.wasteful() {
		return cause{text: "most of it was free pages", inPlace: true}, nil
	}
	return cause{}, nil
}

func (p *opening) openLedger() (err error) {
	if p.ledger, err = openLedger(p.o.Path, p.o.LockTimeout, p.o.SizeMax); err != nil {
		return err
	}
	if err := p.ledger.view(p.meta.read); err != nil {
		return fmt.Errorf("open %s: %w", p.o.Path, err)
	}
	return p.belongs(&p.meta)
}

// openRing reads the ring, or makes a new one when it is gone or was cut short: the journal is
// there, so nothing but the second copy is lost, and Facts says so.
func (p *opening) openRing() error {
	if err := p.readRing(); err != nil {
		return err
	}
	p.dropPriorRing(&p.meta)
	if n := p.image.foreign(p.meta.id); n > 0 {
		return fmt.Errorf("%w: %d slots of %s are of another journal", ErrLost, n, p.o.RingPath)
	}
	if p.ringLost {
		if err := createRing(p.o.RingPath, ringSlots); err != nil {
			return err
		}
	}
	var err error
	if p.ring, err = os.OpenFile(p.o.RingPath, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("open ring: %w", permission(err))
	}
	return nil
}

// dropPriorRing lets go of the ring of the journal that this one was made from: the change of the
// key was cut off before the ring had its turn, and the journal has all of it.
func (p *opening) dropPriorRing(m *journalMeta) {
	n := p.image.foreign(m.id)
	if n > 0 && n == len(p.image.slots) && len(m.prior) == priorBytes &&
		p.image.foreign([16]byte(m.prior)) == 0 {
		p.noRing()
	}
}

func (p *opening) noRing() {
	p.image = &ringImage{size: ringSlots, entries: make(map[uint64][]ringCopy)}
	p.ringLost, p.f.RingRecreated = true, true
}

// readRing reads what there is of the ring, and changes nothing.
func (p *opening) readRing() error {
	info, err := os.Stat(p.o.RingPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open ring: %w", permission(err))
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() < 2*ringLead*slotBytes ||
		info.Size() > ringBytesMax {
		p.noRing()
		return nil
	}
	f, err := os.Open(p.o.RingPath)
	if err != nil {
		return fmt.Errorf("open ring: %w", permission(err))
	}
	defer f.Close()
	if p.image, err = readRingImage(f, int(info.Size()/slotBytes)); err != nil {
		return err
	}
	p.f.RingDamaged = max(p.f.RingDamaged, p.image.damaged)
	return nil
}
