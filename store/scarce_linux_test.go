package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/store"
)

// deed is something done to a journal that may fail for want of something, at any step of it.
type deed struct {
	name   string
	before func(t *testing.T, o store.Options) // what is done to the files first
	do     func(o store.Options) error
}

// deeds are all that is done with a journal and its files.
func deeds() []deed {
	opens := func(o store.Options) error {
		j, err := store.Open(o)
		if err != nil {
			return err
		}
		_, err = j.Append(draft(j.Next(), store.MarkOpen, "goes on"))
		if cerr := j.Close(); err == nil {
			err = cerr
		}
		return err
	}
	as := func(*testing.T, store.Options) {}
	return []deed{
		{"open", as, opens},
		{"open without a ring", func(_ *testing.T, o store.Options) { os.Remove(ringOf(o)) }, opens},
		{"open after damage", func(t *testing.T, o store.Options) {
			flip(t, o.Path, "asked in the MORNING")
		}, opens},
		{"open what a write has failed in", func(t *testing.T, o store.Options) {
			writeFile(t, o.Path+".suspect", []byte("a write failed\n"))
		}, opens},
		{"open what has vanished", func(_ *testing.T, o store.Options) { os.Remove(o.Path) }, opens},
		{"change the key", as, store.RotateKey},
		{"compact", as, func(o store.Options) error {
			_, _, err := store.Compact(o)
			return err
		}},
		{"salvage", as, func(o store.Options) error {
			_, err := store.Salvage(o, false)
			return err
		}},
		{"verify", as, func(o store.Options) error {
			_, err := store.Verify(o)
			return err
		}},
		{"examine", as, func(o store.Options) error {
			_, err := store.Examine(o)
			return err
		}},
		{"read the ring", as, func(o store.Options) error {
			_, err := store.ReadRing(ringOf(o))
			return err
		}},
	}
}

// wantWhole opens a journal when there is enough of everything again: every payment that was open is
// there with its story, and the journal can be written to.
func wantWhole(t *testing.T, o store.Options, open []uint64) {
	t.Helper()
	j, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	still := slices.DeleteFunc(j.OpenKeys(), func(key uint64) bool { // "goes on" of a deed that went well
		return !slices.Contains(open, key)
	})
	if diff := cmp.Diff(open, still); diff != "" {
		t.Errorf("open keys (-want +got):\n%s", diff)
	}
	for _, key := range open {
		if _, err := j.Story(key); err != nil {
			t.Error(err)
		}
	}
	wantSound(t, j)
	mustAppend(t, j, draft(j.Next(), store.MarkOpen, "goes on"))
	mustClose(t, j)
}

// shopFiles is a folder with the journal of a day, and what is open in it.
func shopFiles(t *testing.T) (dir string, open []uint64) {
	t.Helper()
	dir = memoryDir(t)
	o := options(dir)
	open = shopDay(t, o)
	os.Remove(ringOf(o) + ".noon")
	return dir, open
}

// fill puts copies of a folder's files into another one.
func fill(t *testing.T, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		copyFile(t, filepath.Join(from, f.Name()), filepath.Join(to, f.Name()))
	}
}

// starved runs f with room for so many more open files.
func starved(t *testing.T, files uint64, f func() error) error {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	first := uint64(null.Fd())
	null.Close()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	less := was
	less.Cur = first + files
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &less); err != nil {
		t.Skip("may not lower a limit: ", err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was)
	return f()
}

// A process that has no descriptor left, at every step of everything that is done: an error that
// says so, and nothing is lost.
func TestEveryFileThatCannotBeOpened(t *testing.T) {
	from, open := shopFiles(t)
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			failed := 0
			for n := uint64(0); ; n++ {
				o := options(memoryDir(t))
				fill(t, from, filepath.Dir(o.Path))
				d.before(t, o)
				err := starved(t, n, func() error { return d.do(o) })
				wantWhole(t, o, open)
				os.RemoveAll(filepath.Dir(o.Path))
				if err == nil {
					break
				}
				if failed++; failed > 40 {
					t.Fatalf("fails with %d more files: %v", n, err)
				}
			}
			if failed == 0 {
				t.Error("went well without opening a file")
			}
		})
	}
}

// smallDisk is a disk of so many bytes and files; both can be changed.
type smallDisk string

func newSmallDisk(t *testing.T) smallDisk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skip("may not mount a small disk: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return smallDisk(dir)
}

// has makes room for so many more bytes and files than there are now. A negative number is plenty.
func (d smallDisk) has(t *testing.T, bytes, files int64) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(string(d), &s); err != nil {
		t.Fatal(err)
	}
	size, inodes := int64(64<<20), int64(1000)
	if bytes >= 0 {
		block := int64(s.Bsize)                                //nolint:unconvert,nolintlint // 32 bits on a 32-bit machine
		size = max(int64(s.Blocks-s.Bfree)*block+bytes, block) // 0 would be no limit
	}
	if files >= 0 {
		inodes = max(int64(s.Files-s.Ffree)+files, 1)
	}
	options := fmt.Sprintf("size=%d,nr_inodes=%d", size, inodes)
	if err := syscall.Mount("tmpfs", string(d), "tmpfs", syscall.MS_REMOUNT, options); err != nil {
		t.Fatal("change the disk: ", options, err)
	}
}

// A disk without room for one more file, or with only so many bytes left, at every step of everything
// that is done: nothing is lost, and when there is room again the journal goes on.
func TestEveryBlockThatIsNotThere(t *testing.T) {
	from, open := shopFiles(t)
	disk := newSmallDisk(t)
	steps := map[string]func(n int64){
		"files": func(n int64) { disk.has(t, -1, n) },
		"bytes": func(n int64) { disk.has(t, n*100<<10, -1) },
	}
	for _, d := range deeds() {
		for of, scarce := range steps {
			t.Run(d.name+", "+of, func(t *testing.T) {
				for n := int64(0); ; n++ {
					dir := filepath.Join(string(disk), "shop")
					if err := os.Mkdir(dir, 0o700); err != nil {
						t.Fatal(err)
					}
					o := options(dir)
					fill(t, from, dir)
					d.before(t, o)
					scarce(n)
					err := d.do(o)
					disk.has(t, -1, -1)
					wantWhole(t, o, open)
					os.RemoveAll(dir)
					if err == nil {
						break
					}
					if n > 60 {
						t.Fatalf("fails with %d more %s: %v", n, of, err)
					}
				}
			})
		}
	}
}

// The first start on such a disk, or with so few descriptors: an error, and the next start makes the
// journal, or goes on with the one that was made.
func TestAFirstStartThatFails(t *testing.T) {
	disk := newSmallDisk(t)
	dir := filepath.Join(string(disk), "shop")
	start := func() error {
		j, err := store.Open(options(dir))
		if err != nil {
			return err
		}
		_, err = j.Append(draft(1, store.MarkOpen, "asked"))
		if cerr := j.Close(); err == nil {
			err = cerr
		}
		return err
	}
	for of, with := range map[string]func(n int64) error{
		"descriptors": func(n int64) error { return starved(t, uint64(n), start) },
		"files": func(n int64) error {
			disk.has(t, -1, n)
			return start()
		},
		"bytes": func(n int64) error {
			disk.has(t, n*60<<10, -1)
			return start()
		},
	} {
		t.Run(of, func(t *testing.T) {
			for n := int64(0); ; n++ {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				err := with(n)
				disk.has(t, -1, -1)
				var open []uint64
				if err == nil {
					open = []uint64{1}
				}
				wantWhole(t, options(dir), open)
				os.RemoveAll(dir)
				if err == nil {
					break
				}
				if n > 60 {
					t.Fatalf("fails with %d more %s: %v", n, of, err)
				}
			}
		})
	}
}

// What a journal forgets, and what it proves of itself, when its disk is full in that moment.
func TestAFullDiskForgetsNothingHalf(t *testing.T) {
	from, open := shopFiles(t)
	disk := newSmallDisk(t)
	dir := filepath.Join(string(disk), "shop")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fill(t, from, dir)
	j := mustOpen(t, options(dir))
	disk.has(t, 0, 0)
	for {
		n, err := j.Forget(time.Now(), store.Retention{Payments: 1})
		if n == 0 || err != nil {
			break
		}
	}
	wantSound(t, j)
	mustClose(t, j)
	disk.has(t, -1, -1)
	wantWhole(t, options(dir), open)
}
