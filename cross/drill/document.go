package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// excerpt is a part of a screen that a document shows.
type excerpt struct {
	at    int // the line of the document that it begins in
	lines []string
}

// masks are what is different on every screen. A mask is no longer or shorter than what it hides
// where a line is broken because of it.
var masks = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`RC1\.T0000001\.[0-9A-Z-]+`), "RC1.T0000001.CHALLENGE"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DATE"},
	{regexp.MustCompile(`\d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`\d+/ *\d+ +BPS:\d+`), "COUNT"},
	{regexp.MustCompile(`\d+ bytes`), "COUNT bytes"},
}

// masked are the lines of a screen, or of an excerpt, as they are compared.
func masked(text string) []string {
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.mask)
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// excerpts are the blocks of a Markdown text that are fenced and of no language.
func excerpts(text string) []excerpt {
	const fence = "```"
	var all []excerpt
	var block []string
	inside, language := 0, ""
	for i, line := range strings.Split(text, "\n") {
		switch {
		case inside == 0 && strings.HasPrefix(line, fence):
			inside, language, block = i+2, strings.TrimPrefix(line, fence), nil
		case inside != 0 && line == fence:
			if language == "" {
				all = append(all, excerpt{inside, masked(strings.Join(block, "\n"))})
			}
			inside = 0
		case inside != 0:
			block = append(block, line)
		}
	}
	return all
}

// find looks for the excerpt on a screen, all of it and with nothing in between, and says how many
// of its lines are there.
func (e excerpt) find(screen []string) (most int, next string) {
	for i := range screen {
		n := 0
		for n < len(e.lines) && i+n < len(screen) && screen[i+n] == e.lines[n] {
			n++
		}
		if n > 0 && n >= most {
			most, next = n, ""
			if i+n < len(screen) {
				next = screen[i+n]
			}
		}
	}
	return most, next
}

// compare says where a document shows what was on no screen.
func compare(path, text string, screens []string) error {
	all := excerpts(text)
	if len(all) == 0 {
		return fmt.Errorf("%s shows no screens", path)
	}
	var wrong []error
	for _, e := range all {
		most, next := 0, ""
		for _, s := range slices.Backward(screens) {
			if n, after := e.find(masked(s)); n > most {
				most, next = n, after
			}
		}
		if most < len(e.lines) {
			wrong = append(wrong, fmt.Errorf("%s:%d: %q is in the document, on the screen %q",
				path, e.at+most, e.lines[most], next))
		}
	}
	return errors.Join(wrong...)
}

// documented compares what has been on the screen with the document that shows it.
func (d *drill) documented(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return compare(path, string(text), d.shown)
}
