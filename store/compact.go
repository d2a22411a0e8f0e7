package store

import (
	"fmt"
	"os"
	"path/filepath"
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
