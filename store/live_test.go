package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"reversald/store"
)

// A journal that is open is proven while payments go on, and the writer does not notice: what was
// written is there, and the file is no larger for it.
func TestALiveJournalIsProvenWhileItIsWrittenTo(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for day := range 40 {
		batchOfSales(t, j, day, 20)
	}
	var writing sync.WaitGroup
	stop, size := make(chan struct{}), j.Facts().Size
	writing.Add(1)
	go func() {
		defer writing.Done()
		for {
			select {
			case <-stop:
				return
			default:
				mustAppend(t, j, turns(j.Next(), 64)...)
			}
		}
	}()
	pages, before := 0, j.Last()
	for range 3 {
		v, err := j.Verify(t.Context(), func(p store.Progress) error {
			pages++
			if p.Faults > 0 || p.Entry > p.Last+64 {
				t.Errorf("progress %+v", p)
			}
			return nil
		})
		if err != nil || len(v.Faults) > 0 || v.Last < before || v.Entries != int(v.Last) || v.First != 1 {
			t.Fatalf("verdict %+v, %v", v, err)
		}
	}
	close(stop)
	writing.Wait()
	if j.Last() == before || pages < 12 {
		t.Errorf("%d entries before, %d after, %d pages", before, j.Last(), pages)
	}
	written := int64(j.Last()-before) * 1024
	if now := j.Facts().Size; now > size+2*written+2<<20 {
		t.Errorf("the file grew from %d to %d for %d bytes", size, now, written)
	}
	mustClose(t, j)
	wantProven(t, o)
}

// Damage that is done to the files of an open journal is found and said where it is, and no damage
// ends the process.
func TestALiveProofFindsPlantedDamage(t *testing.T) {
	zeros := make([]byte, 4096)
	for _, c := range []struct {
		name string
		harm func(t *testing.T, o store.Options)
		want string
	}{
		{"a flipped bit in the tree", func(t *testing.T, o store.Options) {
			flip(t, o.Path, "OLD-TEXT")
		}, "entry 100: entry 100: entry is damaged: checksum"},
		{"a flipped bit in the tail", func(t *testing.T, o store.Options) {
			flip(t, o.Path, "NEW-TEXT")
		}, "entry is damaged: checksum"},
		{"a torn leaf", func(t *testing.T, o store.Options) {
			at := bytes.Index(readFile(t, o.Path), []byte("OLD-TEXT")) &^ 4095
			overwrite(t, o.Path, int64(at), zeros)
		}, "page of the log: holds another page"},
		{"a page that says it is longer", func(t *testing.T, o store.Options) {
			at := bytes.Index(readFile(t, o.Path), []byte("OLD-TEXT")) &^ 4095
			overwrite(t, o.Path, int64(at)+12, []byte{200})
		}, "its elements do not fit"},
		{"a damaged slot", func(t *testing.T, o store.Options) { flip(t, ringOf(o), "NEW-TEXT") }, "slots are damaged"},
		{"a ring taken away", func(_ *testing.T, o store.Options) { os.Remove(ringOf(o)) }, "is not there"},
		{"a branch torn", func(t *testing.T, o store.Options) {
			b := readFile(t, o.Path)
			for at := 8192; at < len(b); at += 4096 {
				if b[at+8] == 1 && b[at+9] == 0 { // whichever is in use
					overwrite(t, o.Path, int64(at), zeros[:16])
				}
			}
		}, "page of the log: holds another page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t.TempDir())
			j := mustOpen(t, o)
			for seq := range uint64(1200) {
				text := "some"
				if seq+1 == 100 {
					text = "OLD-TEXT"
				}
				if seq%100 != 99 {
					continue
				}
				ds := make([]store.Draft, 100)
				for i := range ds {
					ds[i] = draft(0, store.MarkKeep, "some")
				}
				ds[99].Payload = []byte(text)
				mustAppend(t, j, ds...)
			}
			mustAppend(t, j, draft(0, store.MarkKeep, "NEW-TEXT"))
			c.harm(t, o)
			v := verdict(t, j)
			if !slices.ContainsFunc(v.Faults, func(f store.Fault) bool {
				return strings.Contains(f.String(), c.want)
			}) {
				t.Errorf("faults %v\nwant %q among them", v.Faults, c.want)
			}
			found, err := j.SelfCheck(t.Context(), func() {})
			if err != nil || len(found.Faults) != len(v.Faults) {
				t.Errorf("the check in the background: %v, %v", found.Faults, err)
			}
			_, err = os.Stat(o.Path + ".suspect")
			if ringOnly := v.Faults[0].File != ""; ringOnly != errors.Is(err, os.ErrNotExist) {
				t.Errorf("suspect: %v", err)
			}
			mustClose(t, j)
		})
	}
}

// An index, a count or a freelist that is not as it should be is found in a live journal too.
func TestALiveProofComparesIndexAndCounts(t *testing.T) {
	for name, c := range map[string]struct {
		bucket, key, value, want string
	}{
		"a key too many": {"open", "\x00\x00\x00\x00\x00\x00\x00\x01", "\x00\x00\x00\x00\x00\x00\x00\x01", "of open key 1"},
		"a count":        {"meta", "payments", "\x00\x00\x00\x00\x00\x00\x00\x09", "9 counted"},
	} {
		o := sampleJournal(t, t.TempDir())
		db, err := bolt.Open(o.Path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(c.bucket)).Put([]byte(c.key), []byte(c.value))
		})
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		j := mustOpen(t, o)
		v := verdict(t, j)
		if len(v.Faults) == 0 || !strings.Contains(v.Faults[0].String(), c.want) {
			t.Errorf("%s: faults %v", name, v.Faults)
		}
		mustClose(t, j)
	}
}

// One proof runs at a time, and it ends when whoever asked for it does, at once, and lets go.
func TestALiveProofEndsWithItsReader(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for range 40 {
		batchOfSales(t, j, 0, 20)
	}
	gone := errors.New("the reader is gone")
	_, err := j.Verify(t.Context(), func(store.Progress) error {
		_, err := j.Verify(t.Context(), func(store.Progress) error { return nil })
		wantErr(t, err, store.ErrBusy)
		mustAppend(t, j, typical(j.Next(), store.MarkOpen)) // no transaction is held
		return gone
	})
	if !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = j.Verify(ctx, func(store.Progress) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if v := verdict(t, j); len(v.Faults) > 0 {
		t.Errorf("faults %v", v.Faults)
	}
}

// What is forgotten while the proof runs makes it begin anew, and in the end it is right; when that
// goes on and on it says so, and blames nobody.
func TestALiveProofWhilePaymentsAreForgotten(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	for day := range 40 {
		batchOfSales(t, j, day, 20)
	}
	payments := 700
	forget := func() {
		payments -= 20
		if _, err := j.Forget(day0.AddDate(0, 0, 41), store.Retention{Payments: payments}); err != nil {
			t.Fatal(err)
		}
	}
	times := 0
	v, err := j.Verify(t.Context(), func(store.Progress) error {
		if times++; times < 4 {
			forget()
		}
		return nil
	})
	if err != nil || len(v.Faults) > 0 || v.Payments != j.Facts().Payments || times < 5 {
		t.Errorf("verdict %+v, %v after %d", v, err, times)
	}
	_, err = j.Verify(t.Context(), func(store.Progress) error { forget(); return nil })
	wantErr(t, err, store.ErrBusy)
}
