// Package armour writes a file as text that survives a terminal program's log, and reads it back.
//
// Where a program has no YMODEM (PuTTY), the technician logs the session, and what lies between
// BEGIN and END is the file: base64 with a check sum on every line, so that noise is found where it
// struck, and a SHA-256 at the end over all of it.
package armour

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
)

const (
	begin = "-----BEGIN REVERSALD FILE-----"
	end   = "-----END REVERSALD FILE-----"
	// lineBytes of content make 64 characters of base64: with the check sum 73 on a line of 80.
	lineBytes = 48
	// ContentBytesMax bounds what is read into memory.
	ContentBytesMax = 64 << 20
	nameMax         = 100
	lineMax         = 1 << 16 // a log may hold anything outside
)

// Faults of what is read.
var (
	// ErrNone: no file in this text.
	ErrNone = errors.New("no file in this text: a line " + begin + " is wanted")
	// ErrDamaged: it is there, and not whole.
	ErrDamaged = errors.New("the file is damaged")
)

// Write writes one file.
func Write(w io.Writer, name string, content []byte) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\nname: %s\nsize: %d\n", begin, name, len(content))
	for rest := content; len(rest) > 0; {
		n := min(lineBytes, len(rest))
		text := base64.StdEncoding.EncodeToString(rest[:n])
		fmt.Fprintf(out, "%s %08x\n", text, crc32.ChecksumIEEE([]byte(text)))
		rest = rest[n:]
	}
	sum := sha256.Sum256(content)
	fmt.Fprintf(out, "sha256: %s\n%s\n", hex.EncodeToString(sum[:]), end)
	return out.Flush()
}

// Read finds the first file in a text, whatever lies around it. A line that is damaged is named by
// its number in the text, from 1: it can be asked for again, or looked at.
func Read(r io.Reader) (name string, content []byte, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), lineMax)
	number := 0
	next := func() (string, bool) {
		for lines.Scan() {
			number++
			if line := strings.TrimSpace(lines.Text()); line != "" {
				return line, true
			}
		}
		return "", false
	}
	for line, ok := next(); !strings.HasSuffix(line, begin); line, ok = next() {
		if !ok {
			return "", nil, errors.Join(ErrNone, lines.Err())
		}
	}
	size, sum := -1, ""
	var buf bytes.Buffer
	for {
		line, ok := next()
		if !ok {
			missing := fmt.Errorf("%w: its end is missing", ErrDamaged)
			return "", nil, errors.Join(missing, lines.Err())
		}
		if line == end {
			break
		}
		word, rest, isHead := strings.Cut(line, ": ")
		switch {
		case isHead && word == "name":
			name = rest
		case isHead && word == "size":
			if size, err = strconv.Atoi(rest); err != nil || size < 0 || size > ContentBytesMax {
				return "", nil, fmt.Errorf("%w: line %d has no size", ErrDamaged, number)
			}
		case isHead && word == "sha256":
			sum = rest
		default:
			chunk, ok := readLine(line)
			if !ok || buf.Len()+len(chunk) > ContentBytesMax {
				return "", nil, fmt.Errorf("%w: line %d", ErrDamaged, number)
			}
			buf.Write(chunk)
		}
	}
	return checked(name, buf.Bytes(), size, sum)
}

func readLine(line string) ([]byte, bool) {
	text, sum, found := strings.Cut(line, " ")
	if !found || sum != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) {
		return nil, false
	}
	chunk, err := base64.StdEncoding.DecodeString(text)
	return chunk, err == nil
}

func checked(name string, content []byte, size int, sum string) (string, []byte, error) {
	found := sha256.Sum256(content)
	switch {
	case size != len(content):
		return "", nil, fmt.Errorf("%w: %d bytes of %d", ErrDamaged, len(content), size)
	case sum != hex.EncodeToString(found[:]):
		return "", nil, fmt.Errorf("%w: its SHA-256 is another", ErrDamaged)
	case !PlainName(name):
		return "", nil, fmt.Errorf("%w: %.40q is no file name", ErrDamaged, name)
	}
	return name, content, nil
}

// PlainName says whether a name is one of ours: nothing that leads out of a directory.
func PlainName(name string) bool {
	if name == "" || len(name) > nameMax || name[0] == '.' {
		return false
	}
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
