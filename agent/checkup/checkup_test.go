package checkup_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/checkup"
)

func TestLook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := agent.DefaultConfig()
	c.Journal, c.Socket = filepath.Join(dir, "a", "b", "journal.db"), filepath.Join(dir, "s")
	f := checkup.Look(c)
	if !errors.Is(f.Journal.Err, fs.ErrNotExist) || !errors.Is(f.DirErr, fs.ErrNotExist) || f.Writable {
		t.Errorf("nothing is there: %+v", f)
	}
	if f.PlaceErr != nil || f.Place.Free <= 0 || f.Place.Total < f.Place.Free || f.Place.Filesystem == "" {
		t.Errorf("the disk it would lie on: %+v, %v", f.Place, f.PlaceErr)
	}
	if !f.ClockTrusted {
		t.Errorf("the clock of this machine: %s", f.Wall)
	}
	if f.Ring.Path != c.Journal+".ring" || f.Key.Path != c.Journal+".key" || f.RingElse {
		t.Errorf("beside the journal: %+v", f)
	}

	if err := os.MkdirAll(filepath.Dir(c.Journal), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{c.Journal, c.Journal + ".key"} {
		if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A journal that was written tomorrow says that today is not today.
	tomorrow := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes(c.Journal, tomorrow, tomorrow); err != nil {
		t.Fatal(err)
	}
	c.Ring = filepath.Join(dir, "elsewhere", "ring")
	f = checkup.Look(c)
	if f.Journal.Err != nil || f.Journal.Size != 5 || f.Key.Mode.Perm() != 0o600 || !f.Writable {
		t.Errorf("the files: %+v", f)
	}
	if f.ClockTrusted || !f.Floor.After(f.Wall) {
		t.Errorf("a clock behind the journal is believed: %s, journal of %s", f.Wall, f.Floor)
	}
	if !f.RingElse || f.RingPlaceErr != nil {
		t.Errorf("a ring elsewhere: %+v", f)
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := checkup.Reach(t.Context(), address, time.Second); err != nil {
		t.Error(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := checkup.Reach(t.Context(), address, time.Second); err == nil {
		t.Error("reached nobody")
	}
	if err := checkup.Reach(t.Context(), "no address", time.Second); err == nil {
		t.Error("reached no address")
	}
}
