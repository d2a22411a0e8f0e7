package verbs

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"reversald/iso"
)

// Verb is one thing that can be said. Its texts are in English; [Session.Tr] has them in the
// session's language.
type Verb struct {
	Name  string // one word
	Args  string // what follows it, as help shows it: "ID|all"; empty: nothing
	Short string // one line, no more than 60 columns
	Long  string // lines of 80 columns at most
	Flags []Flag
	// Order: it changes something, in the name of Session.Who, and goes on file.
	Order bool
	// Live: it goes on until its context ends, and needs a screen of its own.
	Live bool
	// IDs: its arguments are numbers of payments, and these states complete them ("" is all open).
	IDs bool
	// Local: it is of use without the agent, or only looks at files of this device.
	Local bool
	Run   func(ctx context.Context, s *Session, in Input) error
}

// Kind is what a flag takes.
type Kind uint8

// The kinds of flags.
const (
	Switch Kind = iota + 1 // nothing: it is there or not
	Text
	Number // a whole number, 0 or more
)

// Flag is one choice of a verb.
type Flag struct {
	Name    string // without dashes
	Letter  string // its short form; empty: none
	Kind    Kind
	Default string
	OneOf   []string // what Tab offers; none: anything may be said
	Doc     string   // in English
}

// Input is what followed a verb.
type Input struct {
	Args   []string
	Values map[string]string // by the flag's name
}

// On says whether a switch is set.
func (in Input) On(flag string) bool { return in.Values[flag] == "true" }

// Text is the value of a flag.
func (in Input) Text(flag string) string { return in.Values[flag] }

// Number is the value of a flag that was checked to be a number.
func (in Input) Number(flag string) uint64 {
	n, err := strconv.ParseUint(in.Values[flag], 10, 63)
	if err != nil {
		return 0
	}
	return n
}

// UsageError is for whoever said it: they can mend it by saying something else.
type UsageError struct{ Text string }

func (e UsageError) Error() string { return e.Text }

// Outcome is an answer that a program can tell from the exit code. The verb has said the rest.
//
//nolint:errname // it is an answer, and no fault
type Outcome struct{ Code int }

func (e Outcome) Error() string { return "outcome " + strconv.Itoa(e.Code) }

// Find looks a verb up by its name.
func Find(name string) *Verb {
	for _, v := range All() {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// Usage is how the verb is said, in one line.
func (v *Verb) Usage() string {
	return strings.TrimSpace(v.Name + " " + v.Args)
}

// completeMax is how many payments Tab offers.
const completeMax = 50

// Complete offers the numbers of open payments, each with a tab and what it is about, where the
// verb takes one. Whoever presses Tab is told of no error.
func (v *Verb) Complete(ctx context.Context, s *Session) []string {
	if !v.IDs {
		return nil
	}
	open, err := s.Client.Payments(ctx, "")
	if err != nil {
		return nil
	}
	var out []string
	for _, p := range open[:min(len(open), completeMax)] {
		out = append(out, fmt.Sprintf("%d\t%s %s %s", p.ID, Clean(p.STAN),
			iso.Money(p.Amount, Clean(p.Currency)), s.phase(&p)))
	}
	return out
}

// Do reads the words that followed the verb and runs it. Where --json is among them, the answer is
// for a program.
func (v *Verb) Do(ctx context.Context, s *Session, words []string) error {
	in, err := v.Parse(s, words)
	if err != nil {
		return err
	}
	if in.On("json") {
		wants := *s
		wants.JSON = true
		s = &wants
	}
	return v.Run(ctx, s, in)
}

// Parse sorts words into arguments and flags: --name value, --name=value, -n value, -n5, -f. What
// follows -- is an argument whatever it looks like.
func (v *Verb) Parse(s *Session, words []string) (Input, error) {
	in := Input{Values: map[string]string{}}
	for _, f := range v.Flags {
		in.Values[f.Name] = f.Default
	}
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			in.Args = append(in.Args, words[i+1:]...)
			return in, nil
		case len(word) < 2 || word[0] != '-':
			in.Args = append(in.Args, word)
			continue
		case word == "--json":
			in.Values["json"] = "true"
			continue
		}
		f, value, given := v.flagOf(word)
		if f == nil {
			return in, s.wrong("%s has no flag %q", v.Name, word)
		}
		if f.Kind != Switch && !given {
			if i++; i == len(words) {
				return in, s.wrong("%s wants a value", word)
			}
			value = words[i]
		}
		if err := f.take(s, in, value, given); err != nil {
			return in, err
		}
	}
	return in, nil
}

// flagOf finds the flag that a word names, and the value that sticks to it.
func (v *Verb) flagOf(word string) (f *Flag, value string, given bool) {
	name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
	long := strings.HasPrefix(word, "--")
	for i := range v.Flags {
		f := &v.Flags[i]
		switch {
		case long && f.Name == name, !long && f.Letter == name && f.Letter != "":
			return f, value, given
		case !long && f.Letter != "" && f.Kind != Switch && strings.HasPrefix(word[1:], f.Letter):
			return f, word[2:], true
		}
	}
	return nil, "", false
}

func (f *Flag) take(s *Session, in Input, value string, given bool) error {
	switch f.Kind {
	case Switch:
		if !given {
			value = "true"
		}
		on, err := strconv.ParseBool(value)
		if err != nil {
			return s.wrong("--%s is a switch: %q is neither true nor false", f.Name, value)
		}
		value = strconv.FormatBool(on)
	case Number:
		if _, err := strconv.ParseUint(value, 10, 63); err != nil {
			return s.wrong("--%s wants a number, not %q", f.Name, value)
		}
	case Text:
	}
	in.Values[f.Name] = value
	return nil
}

// oneID wants a payment's number.
func (in Input) oneID(s *Session) (uint64, error) {
	if len(in.Args) != 1 {
		return 0, s.wrong("one payment number is wanted, not %d", len(in.Args))
	}
	return parseID(s, in.Args[0])
}

// parseID reads "12" or "#12".
func parseID(s *Session, text string) (uint64, error) {
	id, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 10, 64)
	if err != nil || id == 0 {
		return 0, s.wrong("%q is not a payment's number", text)
	}
	return id, nil
}

// noArgs refuses arguments where none are meant.
func (in Input) noArgs(s *Session) error {
	if len(in.Args) > 0 {
		return s.wrong("unexpected %q", in.Args[0])
	}
	return nil
}

// wrong is a UsageError in the session's language.
func (s *Session) wrong(format string, args ...any) error {
	return UsageError{fmt.Sprintf(s.Tr(format), cleaned(args)...)}
}
