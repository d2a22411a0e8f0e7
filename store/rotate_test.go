package store_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

// secretsOf is every secret on file.
func secretsOf(t *testing.T, j *store.Journal) []string {
	t.Helper()
	es, err := j.Scan(1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range es {
		secret, err := j.Unseal(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(e.Seq, " ", string(secret)))
	}
	return all
}

func TestANewKeyOpensWhatTheOldOneSealed(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, typical(1, store.MarkOpen))
	for range 30 {
		sale(t, j)
	}
	if _, err := j.Forget(day0, store.Retention{Payments: 12}); err != nil {
		t.Fatal(err)
	}
	want, stories := secretsOf(t, j), fmt.Sprint(j.OpenKeys())
	hash := j.LookupHash([]byte("4111111111111111"))
	if hash != j.LookupHash([]byte("4111111111111111")) || hash == j.LookupHash([]byte("4111111111111112")) {
		t.Error("the hash is none")
	}
	mustClose(t, j)
	dir := strings.TrimSuffix(o.Path, journalName)
	old := copyFiles(t, dir)

	if err := store.RotateKey(o); err != nil {
		t.Fatal(err)
	}
	wantProven(t, o)
	j = mustOpen(t, o)
	if diff := cmp.Diff(want, secretsOf(t, j)); diff != "" {
		t.Errorf("secrets:\n%s", diff)
	}
	if got := fmt.Sprint(j.OpenKeys()); got != stories || j.Facts().NotCovered != 0 {
		t.Errorf("open keys %s, want %s", got, stories)
	}
	if hash == j.LookupHash([]byte("4111111111111111")) {
		t.Error("the hash is that of the old key")
	}
	mustClose(t, j)
	oldKey, newKey := readFile(t, keyOf(options(old))), readFile(t, keyOf(o))
	if len(newKey) != 32 || bytes.Equal(oldKey, newKey) {
		t.Errorf("the key file has %d bytes", len(newKey))
	}
	wantEveryCutSound(t, old, dir, want)
}

// wantEveryCutSound opens what a power cut can leave of a change of the key.
func wantEveryCutSound(t *testing.T, before, after string, want []string) {
	t.Helper()
	oldKey, newKey := readFile(t, before+"/"+keyName), readFile(t, after+"/"+keyName)
	both := append(bytes.Clone(newKey), oldKey...)
	for _, cut := range []struct {
		name                   string
		key                    []byte
		journal, ring, leftKey string
	}{
		{"before the journal", both, before, before, string(oldKey)},
		{"before the ring", both, after, before, string(newKey)},
		{"before the old key is dropped", both, after, "", string(newKey)},
		{"at the end", newKey, after, "", string(newKey)},
	} {
		o := options(t.TempDir())
		copyFile(t, cut.journal+"/"+journalName, o.Path)
		if cut.ring != "" {
			copyFile(t, cut.ring+"/"+ringName, ringOf(o))
		}
		writeFile(t, keyOf(o), cut.key)
		j := mustOpen(t, o)
		if diff := cmp.Diff(want, secretsOf(t, j)); diff != "" {
			t.Errorf("%s: secrets:\n%s", cut.name, diff)
		}
		if j.Facts().Rebuilt != "" || j.Facts().NotCovered != 0 {
			t.Errorf("%s: facts: %+v", cut.name, j.Facts())
		}
		mustClose(t, j)
		if got := string(readFile(t, keyOf(o))); got != cut.leftKey {
			t.Errorf("%s: the key file has %d bytes", cut.name, len(got))
		}
		wantProven(t, o)
	}
}

// After the change the old key opens nothing, and what a copy still holds is closed for ever.
func TestTheOldKeyOpensNothingMore(t *testing.T) {
	o := sampleJournal(t, t.TempDir())
	old := readFile(t, keyOf(o))
	if err := store.RotateKey(o); err != nil {
		t.Fatal(err)
	}
	current := readFile(t, keyOf(o))
	writeFile(t, keyOf(o), old)
	_, err := store.Open(o)
	wantErr(t, err, store.ErrOtherKey)
	writeFile(t, keyOf(o), current)
	mustClose(t, mustOpen(t, o))
	if left, err := os.ReadDir(strings.TrimSuffix(o.Path, journalName)); err != nil || len(left) != 4 {
		t.Errorf("files: %v, %v", left, err)
	}
}

// A power cut between the new journal and its ring, and then a start that copies, because a write
// failed or damage was found: the ring of the journal before is no part of it. It used to be taken
// for another history, and no start came any further.
func TestACopyAfterAChangeOfTheKeyThatWasCutOff(t *testing.T) {
	o := options(t.TempDir())
	j := mustOpen(t, o)
	mustAppend(t, j, draft(1, store.MarkOpen, "a"), draft(2, store.MarkOpen, "b"))
	mustAppend(t, j, draft(1, store.MarkClose, "c"))
	want := texts(t, j)
	mustClose(t, j)
	ring := readFile(t, ringOf(o))
	if err := store.RotateKey(o); err != nil {
		t.Fatal(err)
	}
	writeFile(t, ringOf(o), ring)
	writeFile(t, o.Path+".suspect", []byte("a drill\n"))
	j = mustOpen(t, o)
	wantTexts(t, j, want...)
	if f := j.Facts(); f.Rebuilt == "" || f.LostEntries > 0 || f.NotCovered > 0 {
		t.Errorf("facts: %+v", f)
	}
	mustAppend(t, j, draft(2, store.MarkClose, "d"))
	mustClose(t, j)
	wantProven(t, o)
}
