package store_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"reversald/store"
)

// A place says how full it is; where there is none, that is said.
func TestAPlaceSaysHowFullItIs(t *testing.T) {
	disk := newSmallDisk(t)
	disk.has(t, 1<<20, 7)
	p, err := store.LookAt(string(disk))
	if err != nil || p.Free != 1<<20 || p.Total < p.Free || p.FreeNodes != 7 || p.Nodes < 7 || !p.Unfit {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := store.LookAt(filepath.Join(string(disk), "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%+v, %v", p, err)
	}
}
