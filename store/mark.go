package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"strings"
)

// mark is a small file that says how far the journal had come. It is a third witness, for when the
// journal is gone and the ring an old one: what both of them have lost, nobody else would know of.
//
// Every commit writes it, and nobody waits for it: after a KILL it is exact, after a power cut as
// old as the kernel keeps what was written, half a minute as a rule. It costs the medium a block in
// that time. It is never ahead of the journal. When it is lost or damaged nothing else is.
//
// Its first line is the newest entry, the id of the journal and a checksum; a journal that was
// closed well adds a line that says which state of the file that was.
type mark struct {
	file *os.File // nil: it can not be written
	id   [16]byte
	line [markBytes]byte
}

// markBytes is the length of the first line: digits, 32 and 8 hex digits, with what is between.
const (
	markDigits = 20 // of the greatest number there is
	markBytes  = markDigits + 1 + 32 + 1 + 8 + 1
)

func markPath(path string) string { return path + ".closed" }

// openMark makes the mark ready. What can not be had is done without.
func openMark(path string, id [16]byte) *mark {
	f, err := os.OpenFile(markPath(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		f = nil
	}
	return &mark{file: f, id: id}
}

func (m *mark) encode(last uint64) []byte {
	b := m.line[:0]
	const zeros = "00000000000000000000"
	number := strconv.AppendUint(make([]byte, 0, markDigits), last, 10)
	b = append(append(b, zeros[len(number):markDigits]...), number...)
	b = hex.AppendEncode(append(b, ' '), m.id[:])
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli))
	return append(hex.AppendEncode(append(b, ' '), sum), '\n')
}

// set says that everything up to last is in both files.
func (m *mark) set(last uint64) {
	if m.file != nil {
		_, _ = m.file.WriteAt(m.encode(last), 0) // the next one, or nobody, will do
	}
}

// close adds the state of a journal that was closed well.
func (m *mark) close(path string, last uint64, well bool) {
	if m.file == nil {
		return
	}
	defer m.file.Close()
	if !well {
		return
	}
	state, err := fileState(path)
	if err == nil {
		all := append(bytes.Clone(m.encode(last)), state...)
		if _, err = m.file.WriteAt(all, 0); err == nil {
			_ = m.file.Truncate(int64(len(all))) // else the next start has a look, that is all
		}
	}
}

// markedLast is the newest entry by the mark; sure says that the mark is one of this journal. A
// mark of before format 3 does not say whose it is. 0: not known.
func markedLast(path string, id [16]byte) (last uint64, sure bool) {
	was, err := os.ReadFile(markPath(path))
	if err != nil {
		return 0, false
	}
	return parseMark(was, id)
}

// parseMark reads the content of a mark.
func parseMark(was []byte, id [16]byte) (last uint64, sure bool) {
	line, _, _ := strings.Cut(string(was), "\n")
	last, err := strconv.ParseUint(line, 10, 64)
	if err == nil && len(line) <= markDigits {
		return last, false // of before format 3
	}
	if len(was) < markBytes {
		return 0, false
	}
	last, err = strconv.ParseUint(string(was[:markDigits]), 10, 64)
	m := mark{id: id}
	if err != nil || !bytes.Equal(was[:markBytes], m.encode(last)) {
		return 0, false
	}
	return last, true
}

// closedWell holds when the file is as the last Close left it.
func closedWell(path string) bool {
	was, err := os.ReadFile(markPath(path))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(was), "\n")
	is, err := fileState(path)
	return err == nil && is == state
}

// fileState tells one state of a bbolt file from every other.
func fileState(path string) (string, error) {
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
