package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// miss is a binary of which everybody may know that it is too big, by how much, and why.
type miss struct {
	ceiling int64
	reason  string
}

// misses are those of the command line, by the binary's name.
type misses map[string]miss

func (m misses) add(text string) error {
	name, rest, _ := strings.Cut(text, "=")
	bytes, reason, _ := strings.Cut(rest, " ")
	ceiling, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil || name == "" || reason == "" {
		return fmt.Errorf("%q is not NAME=BYTES REASON", text)
	}
	m[name] = miss{ceiling, reason}
	return nil
}

// judge refuses what is over the limit, unless it is known and below its own ceiling; and a known
// miss that is none any more, so that its line goes.
func (m misses) judge(name string, size, limit int64, out io.Writer) error {
	known, ok := m[name]
	switch {
	case size <= limit && ok:
		return fmt.Errorf("is not over %d bytes any more: take it off the known misses", limit)
	case size <= limit:
		return nil
	case !ok:
		return fmt.Errorf("is %d bytes over the limit", size-limit)
	case size > known.ceiling:
		return fmt.Errorf("is over %d bytes, and known to miss %d by less", known.ceiling, limit)
	}
	fmt.Fprintf(out, "  known miss, at most %d: %s\n", known.ceiling, known.reason)
	return nil
}
