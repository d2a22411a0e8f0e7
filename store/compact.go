package store

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// wasteful says that most of the file is free pages, and that there are enough of them to be worth
// a copy: their list is written with every commit.
func (p *opening) wasteful() bool {
	const freeBytesMin = 1 << 20
	if p.s.compact {
		p.s.compact = false
		return true
	}
	m, err := newestMeta(p.ledger.file, 1<<62)
	if err != nil {
		return false
	}
	free := int64(p.ledger.db.Stats().FreePageN) * pageBytes
	return free >= freeBytesMin && free > int64(m.end)*pageBytes/2
}

// The mark of a journal that was closed well says which state of the file that was. It is no use
// to anybody once the file has changed, so nobody needs to remove it, and its loss costs a look.
func closedPath(path string) string { return path + ".closed" }

func closedText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 2*pageBytes)
	if _, err := f.ReadAt(head, 0); err != nil {
		return "", err
	}
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	ne := binary.NativeEndian
	return fmt.Sprintf("%x %x %d %d\n", ne.Uint64(head[pageHeaderBytes+56:]),
		ne.Uint64(head[pageBytes+pageHeaderBytes+56:]), info.Size(),
		info.ModTime().UnixNano()), nil
}

func leaveClosed(path string, last uint64) {
	text, err := closedText(path)
	if err == nil {
		text = fmt.Sprintf("%d\n%s", last, text)
		//nolint:errcheck // without it the next start has a look at the file, that is all
		os.WriteFile(closedPath(path), []byte(text), 0o600)
	}
}

// closedLast is the newest entry when the journal was closed well for the last time, 0 when that is
// not known.
func closedLast(path string) uint64 {
	was, err := os.ReadFile(closedPath(path))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(was), "\n")
	last, err := strconv.ParseUint(line, 10, 64)
	if err != nil {
		return 0
	}
	return last
}

// closedWell holds when the file is as the last Close left it.
func closedWell(path string) bool {
	was, err := os.ReadFile(closedPath(path))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(was), "\n")
	is, err := closedText(path)
	return err == nil && is == state
}

// olderFormat is what a journal of an older format is called once there is a copy in this one.
func olderFormat(format uint16) string { return fmt.Sprintf(".format-%d", format) }

// dropOlderFormats removes such files, when the copy has been proven.
func dropOlderFormats(path string) {
	old, err := filepath.Glob(escapeGlob(path) + ".format-*")
	for _, name := range old {
		if err == nil {
			err = os.Remove(name)
		}
	}
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// Compact copies a journal that nobody has open into a file without free pages. It returns the
// sizes before and after. A power cut leaves the old file or the new one.
func Compact(o Options) (before, after int64, err error) {
	info, err := os.Stat(o.Path)
	if err != nil {
		return 0, 0, fmt.Errorf("compact: %w", permission(err))
	}
	j, err := open(o, seams{compact: true})
	if err != nil {
		return 0, 0, err
	}
	after = j.Facts().Size
	return info.Size(), after, j.Close()
}

// Salvage copies what is good of a journal that nobody has open into new files, and keeps the old
// ones, as Open does by itself when it meets damage. With acceptLoss it goes on where Open would
// not: when the newest entries are gone in both files, and with them perhaps payments that nobody
// knows of any more.
func Salvage(o Options, acceptLoss bool) (Facts, error) {
	j, err := open(o, seams{salvage: true, acceptLoss: acceptLoss})
	if err != nil {
		return Facts{}, err
	}
	f := j.Facts()
	return f, j.Close()
}
