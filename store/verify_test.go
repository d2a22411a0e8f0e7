package store_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"reversald/store"
)

// wantProven verifies files that are as they should be.
func wantProven(t *testing.T, o store.Options) store.Verdict {
	t.Helper()
	v, err := store.Verify(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Faults) > 0 {
		t.Fatalf("faults: %v", v.Faults)
	}
	return v
}

func TestVerifyProvesAWholeJournal(t *testing.T) {
	o := sampleJournal(t, t.TempDir())
	before := listing(t, strings.TrimSuffix(o.Path, journalName))
	v := wantProven(t, o)
	if v.First != 1 || v.Last != 7 || v.Entries != 7 || v.Payments != 3 || v.Format != 3 ||
		v.Keyless || v.Waiting != 0 || v.Terminal != "T1" {
		t.Errorf("verdict: %+v", v)
	}
	if diff := cmp.Diff([]uint64{4, 7}, v.Open); diff != "" {
		t.Error(diff)
	}
	if after := listing(t, strings.TrimSuffix(o.Path, journalName)); before != after {
		t.Errorf("files before %s, after %s", before, after)
	}
}

func TestVerifyProvesACopyOfAnOpenJournal(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for range 30 {
		mustAppend(t, j, turns(j.Next(), 2)...)
	}
	if _, err := j.Note(typical(j.Next(), store.MarkOpen)); err != nil {
		t.Fatal(err)
	}
	_, err := store.Verify(o)
	wantErr(t, err, store.ErrLocked)
	if v := wantProven(t, options(copyFiles(t, strings.TrimSuffix(o.Path, journalName)))); v.Waiting != 1 {
		t.Errorf("verdict: %+v", v)
	}
	mustAppend(t, j, typical(j.Next(), store.MarkOpen)) // nothing of this has hurt the writer
}

// Every kind of fault is found and said where it is.
func TestVerifySaysExactlyWhereItBreaks(t *testing.T) {
	edit := func(bucket string, fn func(b *bolt.Bucket) error) func(*testing.T, store.Options) {
		return func(t *testing.T, o store.Options) {
			db, err := bolt.Open(o.Path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bolt.Tx) error { return fn(tx.Bucket([]byte(bucket))) })
			if err = errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	seq := func(n byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, n} }
	for _, c := range []struct {
		name string
		harm func(t *testing.T, o store.Options)
		want string
	}{
		{
			"a flipped bit", func(t *testing.T, o store.Options) { flip(t, o.Path, "doubted") },
			"entry 6: entry 6: entry is damaged: checksum does not match",
		},
		{
			"an entry taken out", edit("tail0", func(b *bolt.Bucket) error { return b.Delete(seq(3)) }),
			"entry 3: missing",
		},
		{
			"the newest entry taken out", edit("tail0", func(b *bolt.Bucket) error { return b.Delete(seq(7)) }),
			"entry 7: the index says that it is the newest of open key 7; the entries do not",
		},
		{"two entries that changed places", edit("tail0", func(b *bolt.Bucket) error {
			return b.Put(seq(2), bytes.Clone(b.Get(seq(3))))
		}), "entry 2: entry 2: entry is damaged: holds entry 3"},
		{"an open key taken out of the index", edit("open", func(b *bolt.Bucket) error {
			return b.Delete(seq(4))
		}), "entry 6: key 4 is open by its entries, and not in the index"},
		{"a closed key put into the index", edit("open", func(b *bolt.Bucket) error {
			return b.Put(seq(1), seq(2))
		}), "entry 2: the index says that it is the newest of open key 1; the entries do not"},
		{"a payment miscounted", edit("meta", func(b *bolt.Bucket) error {
			return b.Put([]byte("payments"), seq(9))
		}), "3 payments on file, 9 counted"},
		{"a beginning that was moved", edit("meta", func(b *bolt.Bucket) error {
			v := bytes.Clone(b.Get([]byte("base")))
			v[7] = 1
			return b.Put([]byte("base"), v)
		}), "what says where the journal begins was altered"},
		{"a gap that was hidden", edit("bridge", func(b *bolt.Bucket) error {
			return b.Put(seq(3), nil)
		}), "what says where the journal begins was altered"},
		{"a torn page", func(t *testing.T, o store.Options) {
			b := readFile(t, o.Path)
			for at := 0; at < len(b); at += 4096 {
				if bytes.Contains(b[at:at+4096], []byte("doubted")) {
					overwrite(t, o.Path, int64(at), make([]byte, 512))
				}
			}
		}, "holds another page"},
		{"a meta page gone", func(t *testing.T, o store.Options) {
			overwrite(t, o.Path, 4096, make([]byte, 512))
		}, "meta page 1 is damaged"},
		{"a journal cut short", func(t *testing.T, o store.Options) {
			if err := os.Truncate(o.Path, 5*4096); err != nil {
				t.Fatal(err)
			}
		}, "cut short"},
		{
			"no ring", func(_ *testing.T, o store.Options) { os.Remove(ringOf(o)) },
			"is not there: there is one copy only",
		},
		{
			"a damaged slot", func(t *testing.T, o store.Options) { flip(t, ringOf(o), "doubted") },
			"slots are damaged",
		},
		{"the ring of another", func(t *testing.T, o store.Options) {
			copyFile(t, ringOf(settled(t)), ringOf(o))
		}, "slots are of another journal"},
		{"the key of another", func(t *testing.T, o store.Options) {
			copyFile(t, keyOf(settled(t)), keyOf(o))
		}, "is not the key of this journal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := sampleJournal(t, t.TempDir())
			c.harm(t, o)
			v, err := store.Verify(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range v.Faults {
				if strings.Contains(f.String(), c.want) {
					return
				}
			}
			t.Errorf("faults: %v\nwant %q among them", v.Faults, c.want)
		})
	}
}

func TestVerifyFindsCardNumbers(t *testing.T) {
	for text, want := range map[string]bool{
		`{"pan":"4111111111111111"}`:            true,
		`{"f":{"2":"6212345678901232"}}`:        true,
		`{"f":{"2":"5500005555555559"}}`:        true,
		`{"track":"4111111111111111D29121010"}`: true,
		`{"pan":"4111111111111112"}`:            false, // its check digit is wrong
		`{"pan":"411111******1111"}`:            false,
		`{"f":{"42":"104110048160001"}}`:        false, // a merchant's number
		`{"t":"1732332455000000000"}`:           false, // nanoseconds
		`{"x":"41111111111111114111"}`:          false, // too long
	} {
		o := options(t.TempDir())
		j := mustOpen(t, o)
		mustAppend(t, j, draft(1, store.MarkOpen, text))
		mustClose(t, j)
		v, err := store.Verify(o)
		if got := len(v.Faults) > 0; err != nil || got != want {
			t.Errorf("%s: %v, %v", text, v.Faults, err)
		}
	}
}

func TestVerifyWithoutTheKeySaysSo(t *testing.T) {
	o := sampleJournal(t, t.TempDir())
	if err := os.Remove(keyOf(o)); err != nil {
		t.Fatal(err)
	}
	if v := wantProven(t, o); !v.Keyless {
		t.Errorf("verdict: %+v", v)
	}
}

func TestVerifyRefusesWhatItCannotRead(t *testing.T) {
	o := settled(t)
	db, err := bolt.Open(o.Path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 4})
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = store.Verify(o)
	wantErr(t, err, store.ErrNewer)
	o.Path += "-not-there"
	_, err = store.Verify(o)
	wantErr(t, err, os.ErrNotExist)
}
