package store_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"reversald/store"
)

func TestOpenRefusesWithoutPermission(t *testing.T) {
	o := settled(t)
	asNobody(t, filepath.Dir(o.Path))
	mustClose(t, mustOpen(t, o))
	if err := os.Chmod(o.Path, 0); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(o)
	wantErr(t, err, store.ErrPermission)
}

// asNobody gives a folder to nobody, and lets this goroutine have the files of nobody only. Root is
// refused nothing; anybody else stays who they are.
func asNobody(t *testing.T, dir string) {
	t.Helper()
	const nobody = 65534
	if os.Geteuid() != 0 {
		return
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, dir) {
		if err := os.Chown(name, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	})
}
