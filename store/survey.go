package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sort"
)

// survey is what a bbolt file holds, read page by page without bbolt.
type survey struct {
	file   *pageFile
	metaOK bool
	meta   journalMeta
	newer  error // of a format that only a newer program reads

	indexOK bool
	index   map[uint64]openRef
	bridges bridges       // nil when they cannot be read
	log     []foundBucket // the tree, and then the tail; nothing when the tree is gone
	places  []place       // entries of the log, ascending
	faults  []Fault
}

// openRef is the value of the open index: where a key's newest entry is, and what is known of
// damage.
type openRef struct {
	last   uint64
	damage Damage
}

// Damage says what is missing of an open key.
type Damage uint8

// The kinds of damage. Zero is none.
const (
	// DamagePart: the key is open, and an entry of it is gone in both files.
	DamagePart Damage = iota + 1
	// DamageFate: the key was open, and may have been closed by an entry that is gone in both.
	DamageFate
)

func (o openRef) value() []byte {
	v := binary.BigEndian.AppendUint64(nil, o.last)
	if o.damage != 0 {
		v = append(v, byte(o.damage))
	}
	return v
}

func parseOpenRef(v []byte) (openRef, bool) {
	if len(v) != 8 && (len(v) != 9 || v[8] == 0 || Damage(v[8]) > DamageFate) {
		return openRef{}, false
	}
	o := openRef{last: binary.BigEndian.Uint64(v)}
	if len(v) == 9 {
		o.damage = Damage(v[8])
	}
	return o, true
}

// place is where an entry lies in the file.
type place struct {
	seq uint64
	at  int64
	n   int
}

// read copies the encoded entry out of the file.
func (p place) read(r io.ReaderAt) ([]byte, error) {
	raw := make([]byte, p.n)
	if _, err := r.ReadAt(raw, p.at); err != nil {
		return nil, err
	}
	return raw, nil
}

// surveyFile reads what the newest meta page leads to, except the log: see readLog.
func surveyFile(r io.ReaderAt, size int64) *survey {
	s := &survey{index: make(map[uint64]openRef), bridges: bridges{}}
	var err error
	if s.file, err = openPages(r, size); err != nil {
		s.faults = append(s.faults, Fault{Problem: err.Error()})
		return s
	}
	s.read()
	return s
}

// surveyPages is surveyFile for pages that were opened.
func surveyPages(file *pageFile) *survey {
	s := &survey{file: file, index: make(map[uint64]openRef), bridges: bridges{}}
	s.read()
	return s
}

func (s *survey) read() {
	buckets := make(map[string]foundBucket)
	s.file.walk(s.file.root, func(items []leafItem, leaf int64) {
		for _, it := range items {
			if it.bucket && len(it.value) >= bucketValueBytes {
				buckets[string(it.key)] = foundBucket{it.value, leaf + it.at}
			}
		}
	}, s.bad("root"))
	s.takeMeta(s.bucket(buckets, bucketMeta))
	if s.metaOK && s.meta.format > 1 {
		s.takeBridges(s.bucket(buckets, bucketBridge))
	}
	s.takeIndex(s.bucket(buckets, bucketOpen))
	s.findLog(buckets)
}

// findLog takes the tree and the tail, as far as they are there.
func (s *survey) findLog(buckets map[string]foundBucket) {
	names := [][]byte{bucketLog}
	if !s.metaOK || s.meta.format > 2 {
		names = append(names, bucketsTail[:]...)
	}
	for _, name := range names {
		if b, found := buckets[string(name)]; found {
			s.log = append(s.log, b)
		} else if s.metaOK {
			s.faults = append(s.faults, Fault{
				Problem: fmt.Sprintf("the bucket %s is not there", name),
			})
		}
	}
}

// foundBucket is the value of a bucket's key, and where it stands in the file.
type foundBucket struct {
	value []byte
	at    int64
}

func (s *survey) bad(where string) func(uint64, error) {
	return func(page uint64, err error) {
		s.faults = append(s.faults, Fault{
			Page: page, Problem: fmt.Sprintf("page of the %s: %v", where, err),
		})
	}
}

// bucket reads a small one whole. ok says that nothing of it is missing.
func (s *survey) bucket(all map[string]foundBucket, name []byte) (items []leafItem, ok bool) {
	b, found := all[string(name)]
	if !found {
		return nil, false
	}
	faults := len(s.faults)
	s.bucketLeaves(b, string(name), func(page []leafItem, _ int64) {
		items = append(items, page...)
	})
	return items, len(s.faults) == faults
}

// bucketLeaves walks the leaves of a bucket, inline or not.
func (s *survey) bucketLeaves(b foundBucket, name string, visit func([]leafItem, int64)) {
	if root := binary.NativeEndian.Uint64(b.value); root != 0 {
		s.file.walk(root, visit, s.bad(name))
		return
	}
	items, err := leafItems(b.value[bucketValueBytes:])
	visit(items, b.at+bucketValueBytes)
	if err != nil {
		s.faults = append(s.faults, Fault{Problem: fmt.Sprintf("bucket %s: %v", name, err)})
	}
}

func (s *survey) takeMeta(items []leafItem, _ bool) {
	err := s.meta.parse(getter(items))
	s.metaOK = err == nil
	if err != nil {
		s.faults = append(s.faults, Fault{Problem: err.Error()})
	}
	if s.meta.format > formatVersion {
		s.newer = err
	}
}

func getter(items []leafItem) func([]byte) []byte {
	return func(key []byte) []byte {
		for _, it := range items {
			if string(it.key) == string(key) {
				return it.value
			}
		}
		return nil
	}
}

func (s *survey) takeBridges(items []leafItem, ok bool) {
	b := make(bridges)
	for _, it := range items {
		ok = b.add(it.key, it.value) && ok
	}
	if !ok {
		s.faults = append(s.faults, Fault{Problem: "the bridges cannot be read"})
		s.bridges = nil
		return
	}
	s.bridges = b
}

func (s *survey) takeIndex(items []leafItem, ok bool) {
	for _, it := range items {
		ref, good := parseOpenRef(it.value)
		if len(it.key) != 8 || !good {
			ok = false
			continue
		}
		s.index[binary.BigEndian.Uint64(it.key)] = ref
	}
	s.indexOK = ok
	if !ok {
		s.faults = append(s.faults, Fault{Problem: "the index of open keys cannot be read"})
	}
}

// readLog walks the log, and then compares all that was walked with the freelist. each, if not
// nil, gets every value in order, as it stands; otherwise their places are kept.
func (s *survey) readLog(each func(seq uint64, raw []byte)) {
	if len(s.log) == 0 {
		return
	}
	defer s.file.checkFree(s.bad("freelist"))
	var before uint64
	visit := func(items []leafItem, leaf int64) {
		for _, it := range items {
			if len(it.key) != 8 {
				s.faults = append(s.faults, Fault{Problem: "a log key is not 8 bytes long"})
				continue
			}
			seq := binary.BigEndian.Uint64(it.key)
			if seq <= before {
				s.faults = append(s.faults, Fault{Seq: seq, Problem: "stands in the wrong place"})
				continue
			}
			before = seq
			if each != nil {
				each(seq, it.value)
			} else {
				s.places = append(s.places, place{seq: seq, at: leaf + it.at, n: len(it.value)})
			}
		}
	}
	for _, part := range s.log {
		s.bucketLeaves(part, "log", visit)
	}
}

// scanEntries looks through the whole file for entries, in the log or not, that are wanted and
// decode. It also looks for meta buckets, where the way to the real one is gone.
func (s *survey) scanEntries(want func(seq uint64) bool) []place {
	var found []place
	var visit func([]leafItem, int64)
	visit = func(items []leafItem, leaf int64) {
		for _, it := range items {
			switch {
			case it.bucket && string(it.key) == string(bucketMeta) && !s.metaOK:
				s.guessMeta(it.value)
			case it.bucket && ofLog(it.key) && len(it.value) > bucketValueBytes:
				inline, _ := leafItems(it.value[bucketValueBytes:])
				visit(inline, leaf+it.at+bucketValueBytes)
			case !it.bucket && len(it.key) == 8 && len(it.value) >= entryBytesMin:
				seq := binary.BigEndian.Uint64(it.key)
				if !want(seq) {
					continue
				}
				if _, err := decodeAt(seq, it.value); err == nil {
					found = append(found, place{seq: seq, at: leaf + it.at, n: len(it.value)})
				}
			}
		}
	}
	s.file.scan(visit)
	sort.SliceStable(found, func(i, j int) bool { return found[i].seq < found[j].seq })
	return found
}

// ofLog holds for the names of the tree and of the tail.
func ofLog(name []byte) bool {
	for _, part := range bucketsTail {
		if bytes.Equal(name, part) {
			return true
		}
	}
	return bytes.Equal(name, bucketLog)
}

// guessMeta takes a meta bucket that was found without the page that leads to it. Of several the
// one that forgot the most is the newest that matters.
func (s *survey) guessMeta(value []byte) {
	if len(value) <= bucketValueBytes || binary.NativeEndian.Uint64(value) != 0 {
		return
	}
	items, err := leafItems(value[bucketValueBytes:])
	var m journalMeta
	if err != nil || m.parse(getter(items)) != nil {
		return
	}
	if s.meta.format == 0 || m.base > s.meta.base {
		s.meta = m
	}
}
