package acquirer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// bookFormat is the first line of a books file.
const (
	bookFormat  = "acquirer-books"
	bookVersion = 1
	factMax     = 64 << 10 // bytes of one line; a fact has a few hundred
)

// Faults of opening the books file.
var (
	// ErrBooksLocked: another acquirer is writing these books.
	ErrBooksLocked = errors.New("another acquirer has these books open")
	// ErrBooksUnreadable: not a books file, a newer one, or damaged before its last line.
	ErrBooksUnreadable = errors.New("books cannot be read")
)

type bookHeader struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
}

// bookFile is the facts on disk: JSON lines, appended and synced one at a time. A line without its
// newline was being written when the power went; nobody was told what it says, so it is cut off.
type bookFile struct{ file *os.File }

func openBookFile(path string, replay func(Fact) error) (*bookFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the books: %w", err)
	}
	b := &bookFile{file: file}
	if err := b.open(path, replay); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return b, nil
}

func (b *bookFile) open(path string, replay func(Fact) error) error {
	err := syscall.Flock(int(b.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return fmt.Errorf("%s: %w", path, ErrBooksLocked)
	}
	good, err := readFacts(b.file, replay)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := b.file.Truncate(good); err != nil {
		return fmt.Errorf("cut off a torn line: %w", err)
	}
	if _, err := b.file.Seek(good, io.SeekStart); err != nil {
		return fmt.Errorf("go to the end of the books: %w", err)
	}
	if good > 0 {
		return b.file.Sync()
	}
	if err := b.appendLine(bookHeader{Format: bookFormat, Version: bookVersion}); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// readFacts replays a books file and returns the length of what is whole.
func readFacts(r io.Reader, replay func(Fact) error) (good int64, err error) {
	lines := bufio.NewReaderSize(r, factMax)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return good, nil // what is left has no newline: torn, or nothing
		case err != nil:
			return good, fmt.Errorf("%w: line %d: %w", ErrBooksUnreadable, n, err)
		}
		if n == 1 {
			err = readHeader(line)
		} else {
			err = replayLine(line, replay)
		}
		if err != nil && lastLine(lines) {
			return good, onlyIfTorn(n, err)
		}
		if err != nil {
			return good, fmt.Errorf("%w: line %d: %w", ErrBooksUnreadable, n, err)
		}
		good += int64(len(line))
	}
}

// onlyIfTorn forgives a last line that is not even JSON (blocks of it never reached the disk), and
// nothing else: a whole line with wrong contents is damage to be looked at.
func onlyIfTorn(n int, err error) error {
	var syntax *json.SyntaxError
	if n > 1 && errors.As(err, &syntax) {
		return nil
	}
	return fmt.Errorf("%w: line %d: %w", ErrBooksUnreadable, n, err)
}

func lastLine(r *bufio.Reader) bool {
	_, err := r.Peek(1)
	return err != nil
}

func readHeader(line []byte) error {
	var h bookHeader
	if err := json.Unmarshal(line, &h); err != nil || h.Format != bookFormat {
		return fmt.Errorf("want a first line with format %q", bookFormat)
	}
	if h.Version != bookVersion {
		return fmt.Errorf("written by version %d, this program reads %d", h.Version, bookVersion)
	}
	return nil
}

func replayLine(line []byte, replay func(Fact) error) error {
	var f Fact
	if err := json.Unmarshal(line, &f); err != nil {
		return err
	}
	return replay(f)
}

func (b *bookFile) append(f Fact) error { return b.appendLine(f) }

// appendLine returns when the line is on the disk.
func (b *bookFile) appendLine(v any) error {
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(v); err != nil {
		return fmt.Errorf("write the books: %w", err)
	}
	if _, err := b.file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("write the books: %w", err)
	}
	if err := b.file.Sync(); err != nil {
		return fmt.Errorf("sync the books: %w", err)
	}
	return nil
}

func (b *bookFile) close() error {
	if err := b.file.Close(); err != nil {
		return fmt.Errorf("close the books: %w", err)
	}
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync the directory of the books: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync the directory of the books: %w", err)
	}
	return nil
}
