package store_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

// Run once after a change of the format, with its number in place: the file is then never
// written again.
var writeSample = flag.String("write-sample", "", "write a sample of the present format here")

// sampleJournal is in every sample: a confirmed sale, a doubted one, one just asked, a stray.
func sampleJournal(t *testing.T, dir string) store.Options {
	t.Helper()
	o := options(dir)
	o.Terminal = "T1"
	j := mustOpen(t, o)
	d := func(key uint64, kind uint8, mark store.Mark, text, secret string) store.Draft {
		return store.Draft{
			Key: key, Kind: kind, Mark: mark, Wall: time.Unix(1700000000, 0), Mono: time.Minute,
			Payload: []byte(text), Secret: []byte(secret),
		}
	}
	mustAppend(t, j, d(1, 1, store.MarkOpen, "asked", "4111111111111111=2912"))
	mustAppend(t, j, d(1, 3, store.MarkOpen, "approved", ""))
	mustAppend(t, j, d(1, 5, store.MarkClose, "confirmed", ""))
	mustAppend(t, j, d(4, 1, store.MarkOpen, "asked", "5500005555555559=2801"),
		d(0, 15, store.MarkKeep, "stray", ""))
	mustAppend(t, j, d(4, 6, store.MarkOpen, "doubted", ""))
	mustAppend(t, j, d(7, 1, store.MarkOpen, "asked", "4111111111111111=2912"))
	mustClose(t, j)
	return o
}

// A journal of every format there ever was can be opened; one of an older format is copied into
// this one, and kept until the copy is proven.
func TestSamplesOfEveryFormatAreOpened(t *testing.T) {
	if *writeSample != "" {
		pack(t, sampleJournal(t, t.TempDir()), *writeSample)
	}
	samples, err := filepath.Glob("testdata/format-*.tar.gz")
	if err != nil || len(samples) != 3 {
		t.Fatalf("samples: %v, %v", samples, err)
	}
	for _, sample := range samples {
		t.Run(filepath.Base(sample), func(t *testing.T) {
			o := options(t.TempDir())
			unpack(t, sample, filepath.Dir(o.Path))
			before := readFile(t, o.Path)
			j := mustOpen(t, o)
			wantTexts(t, j, "1 1 asked", "2 1 approved", "3 1 confirmed", "4 4 asked", "5 0 stray",
				"6 4 doubted", "7 7 asked")
			if diff := cmp.Diff([]uint64{4, 7}, j.OpenKeys()); diff != "" {
				t.Error(diff)
			}
			story, err := j.Story(4)
			if err != nil || len(story) != 2 {
				t.Fatalf("story: %v, %v", story, err)
			}
			if card, err := j.Unseal(story[0]); err != nil || string(card) != "5500005555555559=2801" {
				t.Errorf("card %q, %v", card, err)
			}
			f := j.Facts()
			if f.Format != 3 || f.Payments != 3 || f.Terminal != "T1" || f.LostEntries != 0 {
				t.Errorf("facts: %+v", f)
			}
			if f.Rebuilt != "" {
				wantKeptUntilProven(t, j, o, before)
			}
			mustClose(t, j)
			wantProven(t, o)
		})
	}
}

func wantKeptUntilProven(t *testing.T, j *store.Journal, o store.Options, before []byte) {
	t.Helper()
	f := j.Facts()
	if f.Quarantine != o.Path+"."+strings.Replace(f.Rebuilt, " ", "-", 1) || !strings.HasPrefix(f.Rebuilt, "format ") {
		t.Errorf("facts: %+v", f)
	}
	if string(readFile(t, f.Quarantine)) != string(before) {
		t.Error("the old file was changed")
	}
	if _, err := j.SelfCheck(t.Context(), func() {}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(f.Quarantine); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old file after the proof: %v", err)
	}
}

func pack(t *testing.T, o store.Options, into string) {
	t.Helper()
	f, err := os.Create(into)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for _, name := range []string{journalName, ringName, keyName} {
		b := readFile(t, filepath.Join(filepath.Dir(o.Path), name))
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b))})
		if _, werr := w.Write(b); err != nil || werr != nil {
			t.Fatal(err, werr)
		}
	}
	if err := errors.Join(w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, from, dir string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, filepath.Base(h.Name)), content)
	}
}
