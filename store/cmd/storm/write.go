package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"reversald/store"
)

// writer is a process that keeps a journal, and tells the disk below what it was promised.
type writer struct {
	o      store.Options
	seed   uint64
	random *rand.Rand
	marks  *os.File // nil: nobody listens
	eyes   examiner
	j      *store.Journal
}

// journalOptions open the journal that storm keeps in a folder.
func journalOptions(dir string) store.Options {
	return store.Options{
		Path: filepath.Join(dir, "journal.db"), AnyFilesystem: true, Boot: [16]byte{0xb0, 0x07},
		LockTimeout: time.Second,
	}
}

// openMarks opens the file by which the recorder is told things; nil where there is none.
func openMarks(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // a disk that remembers nothing is a disk
	}
	return f, err
}

func say(marks *os.File, text string) error {
	if marks == nil || text == "" {
		return nil
	}
	_, err := marks.WriteString(text)
	return err
}

// write takes the steps one after the other.
func write(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("storm write", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "folder of the journal")
	marks := flags.String("marks", "", "where to tell what was promised; default DIR/.mark")
	seed := flags.Uint64("seed", 1, "of everything that is written")
	steps := flags.String("steps", "open,append:20,close", `what to do, in order: open, append:N,
note:N, forget:N (payments to keep), reopen, compact, rotate, salvage, suspect, hurt (8 to 64 KiB
of one of the two files are destroyed), close, kill`)
	if err := flags.Parse(args); err != nil || *dir == "" {
		return exitError{exitUsage, errors.Join(errors.New("write wants -dir"), err)}
	}
	if *marks == "" {
		*marks = filepath.Join(*dir, ".mark")
	}
	w := &writer{
		o: journalOptions(*dir), seed: *seed,
		random: rand.New(rand.NewPCG(*seed, uint64(os.Getpid()))),
	}
	w.o.Examine = w.eyes.look
	defer w.eyes.end()
	var err error
	if w.marks, err = openMarks(*marks); err != nil {
		return err
	}
	for _, step := range strings.Split(*steps, ",") {
		name, count, _ := strings.Cut(step, ":")
		n, _ := strconv.Atoi(count)
		if err := w.step(name, n); err != nil {
			err = fmt.Errorf("%s: %w", step, err)
			switch {
			case errors.Is(err, store.ErrUnknown):
				return exitError{exitDead, err}
			case errors.Is(err, store.ErrFull):
				return exitError{exitFull, err}
			}
			return err
		}
	}
	_, err = fmt.Fprintln(stdout, "storm: done")
	return err
}

func (w *writer) step(name string, n int) error {
	switch name {
	case "open":
		return w.open()
	case "append":
		return w.repeat(n, w.append)
	case "note":
		return w.repeat(n, w.note)
	case "forget":
		return w.forget(n)
	case "close":
		return w.close()
	case "reopen":
		return w.between(func() error { return nil })
	case "compact":
		return w.between(func() error {
			_, _, err := store.Compact(w.o)
			return err
		})
	case "rotate":
		return w.between(func() error { return store.RotateKey(w.o) })
	case "salvage":
		return w.between(func() error {
			_, err := store.Salvage(w.o, false)
			return err
		})
	case "suspect":
		return w.between(func() error {
			return os.WriteFile(w.o.Path+".suspect", []byte("a drill\n"), 0o600)
		})
	case "hurt":
		return w.between(w.hurt)
	case "kill":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return exitError{exitUsage, fmt.Errorf("no step %q", name)}
}

func (*writer) repeat(n int, do func() error) error {
	for range n {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// open also tells what is there already, and may be relied on: a journal that was put there, or
// what an earlier life found when it started.
func (w *writer) open() error {
	var err error
	if w.j, err = store.Open(w.o); err != nil {
		return err
	}
	all, err := w.read()
	if err != nil {
		// Damage in the middle is found by the check in the background, and mended by the next
		// start.
		if w.j, err = selfChecked(w.j, w.o); err != nil {
			return err
		}
		all, err = w.read()
	}
	if err != nil {
		return err
	}
	return say(w.marks, all+ackLine(w.j.Last()))
}

// read gives every entry on file, as lines.
func (w *writer) read() (string, error) {
	var b strings.Builder
	for from := uint64(1); from <= w.j.Last(); {
		es, err := w.j.Scan(from, 500)
		if err != nil {
			return "", err
		}
		if len(es) == 0 {
			break
		}
		for i := range es {
			b.WriteString(tryLine(es[i].Seq, es[i].Key, es[i].Mark, es[i].Payload))
		}
		from = es[len(es)-1].Seq + 1
	}
	return b.String(), nil
}

func (w *writer) close() error {
	if w.j == nil {
		return nil
	}
	err := w.j.Close()
	w.j = nil
	return err
}

func (w *writer) between(do func() error) error {
	if err := w.close(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return w.open()
}

func (w *writer) drafts(n int) ([]store.Draft, error) {
	var ds []store.Draft
	var b strings.Builder
	for i := range uint64(n) {
		seq := w.j.Next() + i
		d := draftOf(w.seed, seq)
		ds = append(ds, d)
		b.WriteString(tryLine(seq, d.Key, d.Mark, d.Payload))
	}
	return ds, say(w.marks, b.String())
}

func (w *writer) append() error {
	ds, err := w.drafts(1 + w.random.IntN(4))
	if err != nil {
		return err
	}
	if _, err := w.j.Append(ds...); err != nil {
		return err
	}
	return say(w.marks, ackLine(w.j.Last()))
}

// note leaves an entry in the ring that is in bbolt with the next commit only.
func (w *writer) note() error {
	ds, err := w.drafts(1)
	if err != nil {
		return err
	}
	if _, err = w.j.Note(ds[0]); err != nil {
		return err
	}
	return say(w.marks, ackLine(w.j.Last())) // what a note found full it has committed
}

func (w *writer) forget(keep int) error {
	if err := say(w.marks, forgetLine); err != nil {
		return err
	}
	for {
		n, err := w.j.Forget(time.Time{}, store.Retention{Payments: keep})
		if err != nil || n == 0 {
			return err
		}
	}
}

// hurt destroys 8 to 64 KiB of one of the two files, where there is something to destroy.
func (w *writer) hurt() error {
	const inUse = 256 << 10 // of a small journal, and half of the ring
	path := w.o.Path
	if w.random.IntN(3) == 0 {
		path += ".ring"
	}
	width := int64(8<<10) << w.random.IntN(4)
	junk := make([]byte, width)
	for i := range junk {
		junk[i] = byte(w.random.Uint32())
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(junk, w.random.Int64N(inUse/width)*width)
	return errors.Join(err, f.Sync(), f.Close())
}
