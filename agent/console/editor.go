package console

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"reversald/agent/verbs"
)

const (
	// lineMax bounds what is typed in one line; the line editor itself would take 4096.
	lineMax = 300
	// historyMax is how many lines can be had again.
	historyMax = 50
	// widthDefault and heightDefault are the screen that every terminal program has.
	widthDefault  = 80
	heightDefault = 24
)

// typed is the visitor's keyboard and screen, as the line editor wants them. Only whole keys get
// through, and waiting has an end.
type typed struct{ v *visit }

// Read implements io.Reader: one key at a time.
func (t typed) Read(p []byte) (int, error) {
	v := t.v
	for {
		left := time.Until(v.until)
		if left <= 0 {
			v.reason = errIdle
			return 0, io.EOF
		}
		key, err := v.keys.read(left)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err == nil && v.screen.err != nil {
			err = v.screen.err
		}
		if err != nil {
			v.reason = err
			return 0, io.EOF
		}
		v.until = time.Now().Add(v.options.Idle)
		if key[0] == keyInterrupt { // the editor would end; we only start the line anew
			key = []byte{keyEnd, keyErase}
		}
		if shows := key[0] >= ' ' && key[0] != keyDelete; shows && v.length >= lineMax {
			continue
		} else if !shows {
			v.length = 0 // not known until the next character
		}
		if len(p) < len(key) {
			continue // never: the editor has 256 bytes of room, and gets whole keys only
		}
		return copy(p, key), nil
	}
}

// Write implements io.Writer.
func (t typed) Write(p []byte) (int, error) { return t.v.screen.Write(p) }

// newEditor is x/term's line editor for this visit.
func (v *visit) newEditor() *term.Terminal {
	e := term.NewTerminal(typed{v}, "")
	e.History = &v.history
	e.AutoCompleteCallback = v.onKey
	return e
}

// onKey completes on Tab. It is called for every character too, and so knows how long the line is:
// to refuse one here would make the editor draw the whole line again, for every key of a flood.
func (v *visit) onKey(line string, pos int, key rune) (string, int, bool) {
	v.length = len(line)
	if key != keyTab {
		return "", 0, false
	}
	next, at := v.complete(line, pos)
	return next, at, true
}

// complete finishes the first word, or offers what it could be.
func (v *visit) complete(line string, pos int) (string, int) {
	head := line[:pos]
	if strings.ContainsRune(strings.TrimLeft(head, " "), ' ') {
		return line, pos
	}
	word := strings.TrimLeft(head, " ")
	var fits []string
	for _, name := range v.names() {
		if strings.HasPrefix(name, word) {
			fits = append(fits, name)
		}
	}
	if len(fits) == 0 {
		return line, pos
	}
	common := fits[0]
	for _, name := range fits[1:] {
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if len(fits) == 1 {
		common += " "
	}
	return common + line[pos:], len(common)
}

// names are all first words.
func (*visit) names() []string {
	var all []string
	for _, verb := range verbs.All() {
		if !elsewhere[verb.Name] {
			all = append(all, verb.Name)
		}
	}
	for _, own := range ownWords() {
		all = append(all, own.name)
	}
	return all
}

// history keeps lines for the arrow keys. What looks like a card number is not kept.
type history struct{ lines []string }

// Add implements term.History.
func (h *history) Add(line string) {
	if line == "" || holdsCard(line) || len(h.lines) > 0 && h.lines[0] == line {
		return
	}
	h.lines = append([]string{line}, h.lines...)
	h.lines = h.lines[:min(len(h.lines), historyMax)]
}

// Len implements term.History.
func (h *history) Len() int { return len(h.lines) }

// At implements term.History.
func (h *history) At(i int) string { return h.lines[i] }
