package console

import "strings"

// wordsKept is how much of what we said is remembered: two screens.
const wordsKept = 4096

// tellingBytes is how long a piece of our own words must be for its return to mean that the line
// echoes. A person may paste a reference number of ours; nobody pastes half a line of a prompt.
const tellingBytes = 24

// echoGuard knows our own words when they come back. A laptop whose port is in its system's default
// mode sends everything back until a terminal program takes it over: sixty to eighty bytes were
// seen. Taken for typing, they would be answered, and the answer echoed again.
type echoGuard struct {
	said  []byte
	heard []byte
}

// say notes our own words: texts and prompts, not what a person's keys put on the screen.
func (g *echoGuard) say(text string) {
	g.said = append(g.said, text...)
	if extra := len(g.said) - wordsKept; extra > 0 {
		g.said = append(g.said[:0], g.said[extra:]...)
	}
}

// hear takes a byte as it came; true: the latest of them are our own words.
func (g *echoGuard) hear(b byte) bool {
	if b < ' ' && b != '\r' && b != '\n' {
		return false // an echo has none, and keys are no words
	}
	g.heard = append(g.heard, b)
	if len(g.heard) < tellingBytes {
		return false
	}
	if len(g.heard) > tellingBytes {
		g.heard = append(g.heard[:0], g.heard[1:]...)
	}
	return strings.Contains(string(g.said), string(g.heard))
}

// line says whether a whole line is one of ours.
func (g *echoGuard) line(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" {
		return false
	}
	for _, ours := range strings.Split(string(g.said), "\n") {
		if strings.TrimSpace(ours) == text {
			return true
		}
	}
	return false
}
