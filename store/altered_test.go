package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"reversald/store"
)

// alteration is something done to one bucket of a journal that nobody has open.
type alteration struct {
	name string
	do   func(b *bolt.Bucket) error
}

// alterations is every value of a journal taken out, cut short and emptied, and a key in every bucket
// that is none.
func alterations(t *testing.T, path string) map[string][]alteration {
	t.Helper()
	all := map[string][]alteration{}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			bucket := string(name)
			add := func(what string, do func(b *bolt.Bucket) error) {
				all[bucket] = append(all[bucket], alteration{bucket + ": " + what, do})
			}
			add("a key of three bytes", func(b *bolt.Bucket) error { return b.Put([]byte("abc"), []byte("x")) })
			return b.ForEach(func(k, v []byte) error {
				k, v = bytes.Clone(k), bytes.Clone(v)
				add(fmt.Sprintf("%q taken out", k), func(b *bolt.Bucket) error { return b.Delete(k) })
				add(fmt.Sprintf("%q emptied", k), func(b *bolt.Bucket) error { return b.Put(k, nil) })
				if len(v) > 0 {
					add(fmt.Sprintf("%q cut short", k), func(b *bolt.Bucket) error {
						return b.Put(k, v[:len(v)-1])
					})
				}
				return nil
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// unproven is what no proof covers: it names the terminal, and the journal that this one was made
// from. Keys that mean nothing are passed over.
var unproven = []string{`meta: "terminal"`, `meta: "prior"`, "meta: a key of three bytes"}

// Whatever else is altered in a journal, Verify names it; a start refuses it with a hint or has every open
// payment, and says so when one is not whole; and a salvage does the same. Nothing panics.
func TestWhateverIsAlteredIsNamed(t *testing.T) {
	from := memoryDir(t)
	sampleJournal(t, from)
	for bucket, all := range alterations(t, filepath.Join(from, journalName)) {
		for _, a := range all {
			t.Run(a.name, func(t *testing.T) {
				o := options(memoryDir(t))
				fill(t, from, filepath.Dir(o.Path))
				db, err := bolt.Open(o.Path, 0o600, nil)
				if err != nil {
					t.Fatal(err)
				}
				err = db.Update(func(tx *bolt.Tx) error { return a.do(tx.Bucket([]byte(bucket))) })
				if err := errors.Join(err, db.Close()); err != nil {
					t.Fatal(err)
				}
				free := slices.ContainsFunc(unproven, func(s string) bool {
					return strings.HasPrefix(a.name, s)
				})
				if v, err := store.Verify(o); err == nil && len(v.Faults) == 0 != free {
					t.Errorf("Verify finds %v", v.Faults)
				}
				judgeStart(t, o, func() (*store.Journal, error) { return store.Open(o) })
				judgeStart(t, o, func() (*store.Journal, error) {
					if _, err := store.Salvage(o, true); err != nil {
						return nil, err
					}
					return store.Open(o)
				})
			})
		}
	}
}

// judgeStart starts on the files of sampleJournal, in which 4 and 7 are open, and reads all of it.
func judgeStart(t *testing.T, o store.Options, start func() (*store.Journal, error)) {
	t.Helper()
	j, err := start()
	if err != nil {
		if store.Hint(err) == "" {
			t.Errorf("no hint for %v", err)
		}
		return
	}
	defer j.Close()
	for seq := range j.Last() + 2 {
		_, _ = j.Scan(seq, 3)
		_, _ = j.Witness(seq)
		_, _ = j.History(seq, 3)
	}
	for _, key := range j.OpenKeys() {
		if _, err := j.Story(key); err != nil && len(j.Facts().Damaged) == 0 {
			t.Errorf("payment %d is damaged, and nothing says so: %v", key, err)
		}
	}
	if v := verdict(t, j); len(v.Faults) > 0 {
		t.Logf("after the start: %v", v.Faults)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
