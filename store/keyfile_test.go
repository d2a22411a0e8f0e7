package store_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

var errAway = errors.New("nobody answers")

// module makes keys as a secure module does. It can be away, or have another key.
type module struct {
	own  string
	away bool
	asks int
}

func (m *module) derive(salt []byte) ([]byte, error) {
	m.asks++
	if m.away {
		return nil, errAway
	}
	key := sha256.Sum256(append([]byte(m.own), salt...))
	return key[:], nil
}

func derived(t *testing.T) (store.Options, *module) {
	t.Helper()
	o, m := options(t.TempDir()), &module{own: "in the module"}
	o.DeriveKey = m.derive
	return o, m
}

// The key of a journal that a module makes lies in no file, and the journal is as good as any.
func TestAKeyFromAModuleIsInNoFile(t *testing.T) {
	o, m := derived(t)
	j := mustOpen(t, o)
	mustAppend(t, j, typical(1, store.MarkOpen))
	want := secretsOf(t, j)
	mustClose(t, j)
	file := readFile(t, keyOf(o))
	if len(file) != 33 || file[0] != 2 {
		t.Fatalf("the key file is %x", file)
	}
	key, err := m.derive(file[1:])
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob(filepath.Dir(o.Path) + "/*")
	if err != nil || len(all) < 3 {
		t.Fatal(all, err)
	}
	for _, name := range all {
		if bytes.Contains(readFile(t, name), key) {
			t.Errorf("%s has the key", name)
		}
	}
	wantProven(t, o)
	j = mustOpen(t, o)
	if diff := cmp.Diff(want, secretsOf(t, j)); diff != "" {
		t.Errorf("secrets:\n%s", diff)
	}
	if j.Facts().KeyInClear {
		t.Error("said to lie in clear")
	}
}

// While the module is away, or has another key, the journal is refused, and nothing is changed or
// made anew: not by a start, and not by a command.
func TestAModuleThatIsAwayMakesNoFreshKey(t *testing.T) {
	o, m := derived(t)
	dir := filepath.Dir(o.Path)
	m.away = true
	_, err := store.Open(o)
	wantErr(t, err, store.ErrKeyAway)
	if !errors.Is(err, errAway) {
		t.Errorf("%v does not say why", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("made: %v, %v", left, err)
	}
	m.away = false
	j := mustOpen(t, o)
	mustAppend(t, j, typical(1, store.MarkOpen))
	mustClose(t, j)
	before := listing(t, dir)
	refused := func(text string, o store.Options, want error) {
		t.Helper()
		_, err := store.Open(o)
		wantErr(t, err, want)
		wantErr(t, store.RotateKey(o), want)
		_, err = store.Salvage(o, true)
		wantErr(t, err, want)
		if want != store.ErrOtherKey { // which is a fault that verify reports
			_, err = store.Verify(o)
			wantErr(t, err, want)
		}
		if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
			t.Errorf("%s: files changed:\n%s", text, diff)
		}
	}
	m.away = true
	refused("away", o, store.ErrKeyAway)
	m.away, m.own = false, "another"
	refused("another key", o, store.ErrOtherKey)
	without := o
	without.DeriveKey = nil
	refused("no module", without, store.ErrKeyElsewhere)
	echo := o
	echo.DeriveKey = func(salt []byte) ([]byte, error) { return salt, nil }
	refused("gives back what it got", echo, store.ErrKeyAway)
	m.own = "in the module"
	mustClose(t, mustOpen(t, o))
	wantProven(t, o)
}

// A key is changed for one that a module makes, for another of those, and back; whatever a power
// cut leaves of the change opens with what it needs.
func TestAKeyMovesIntoAModuleAndOut(t *testing.T) {
	dir := t.TempDir()
	o, m := options(dir), &module{own: "in the module"}
	j := mustOpen(t, o)
	mustAppend(t, j, typical(1, store.MarkOpen))
	want := secretsOf(t, j)
	mustClose(t, j)
	inClear := o
	o.DeriveKey = m.derive
	j = mustOpen(t, o) // goes on with the key it has, and says so
	if !j.Facts().KeyInClear {
		t.Error("not said to lie in clear")
	}
	mustClose(t, j)
	for _, step := range []struct {
		name string
		to   store.Options
		size int
	}{
		{"in", o, 33}, {"within", o, 33}, {"out", inClear, 32},
	} {
		before := copyFiles(t, dir)
		to := step.to
		to.DeriveKey, to.KeyInClear = m.derive, step.size == 32
		if err := store.RotateKey(to); err != nil {
			t.Fatal(step.name, err)
		}
		if got := readFile(t, keyOf(o)); len(got) != step.size {
			t.Fatalf("%s: the key file has %d bytes", step.name, len(got))
		}
		wantProven(t, step.to)
		j := mustOpen(t, step.to)
		if diff := cmp.Diff(want, secretsOf(t, j)); diff != "" {
			t.Errorf("%s: secrets:\n%s", step.name, diff)
		}
		mustClose(t, j)
		wantBothKeysGood(t, before, dir, m, want)
	}
}

// wantBothKeysGood opens what is there while both keys are in the file: the journal of before and
// the one of after.
func wantBothKeysGood(t *testing.T, before, after string, m *module, want []string) {
	t.Helper()
	record := func(file []byte) []byte {
		if len(file) == 32 {
			return append([]byte{1}, file...)
		}
		return file
	}
	both := append(record(readFile(t, filepath.Join(after, keyName))),
		record(readFile(t, filepath.Join(before, keyName)))...)
	for _, dir := range []string{before, after} {
		o := options(t.TempDir())
		o.DeriveKey = m.derive
		copyFile(t, filepath.Join(dir, journalName), o.Path)
		copyFile(t, filepath.Join(dir, ringName), ringOf(o))
		writeFile(t, keyOf(o), both)
		j := mustOpen(t, o)
		if diff := cmp.Diff(want, secretsOf(t, j)); diff != "" {
			t.Errorf("secrets:\n%s", diff)
		}
		mustClose(t, j)
		got, left := readFile(t, keyOf(o)), readFile(t, filepath.Join(dir, keyName))
		if !bytes.Equal(got, left) {
			t.Errorf("left %x, want %x", got, left)
		}
	}
}
