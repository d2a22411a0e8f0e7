package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"reversald/agent/verbs"
)

// ownWord is a word that only the console has.
type ownWord struct {
	name, args, short string
	run               func(v *visit, ctx context.Context, e *term.Terminal, args []string) error
}

// elsewhere are verbs that need a file system or a shell around them, or that the console has in a
// form of its own.
var elsewhere = map[string]bool{"completion": true, "man": true, "evidence": true}

// ownWords are the words that only the console has.
func ownWords() []ownWord {
	return []ownWord{
		{
			"list", "[stuck]", "open payments, numbered: a number alone then shows one",
			(*visit).list,
		},
		{"send", "evidence ID|journal [N] [text]", "a file by YMODEM, or as text", (*visit).send},
		{"relay", "", "the host's line over this cable, until either end leaves", (*visit).relay},
		{"lines", "N", "rows of your screen; 0: no pages", (*visit).lines},
		{"help", "[WORD]", "this, or more about one word", (*visit).help},
		{"logout", "", "leave", (*visit).logout},
	}
}

// shell takes lines until the visitor leaves, in one way or another.
func (v *visit) shell(ctx context.Context) error {
	v.until = time.Now().Add(v.options.Idle)
	e := v.newEditor()
	err := v.say("\nwelcome, %s. help lists the words; Tab completes them.\n", v.who)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		line, err := v.readLine(e, v.prompt(ctx))
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case v.guard.line(line):
			return errEcho
		case holdsCard(line):
			err = v.say("That looks like a card number. It is not taken, and not written down.\n")
		default:
			err = v.obey(ctx, e, line)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// readLine lets the visitor edit one line.
func (v *visit) readLine(e *term.Terminal, prompt string) (string, error) {
	v.guard.say(prompt)
	e.SetPrompt(prompt)
	line, err := e.ReadLine()
	if errors.Is(err, term.ErrPasteIndicator) {
		err = nil
	}
	if err == nil && v.screen.err != nil {
		err = v.screen.err
	}
	if errors.Is(err, io.EOF) {
		if err = v.reason; err == nil {
			err = errLogout
		}
	}
	return line, err
}

// obey does what a line says. An error ends the visit; what goes wrong within is told.
func (v *visit) obey(ctx context.Context, e *term.Terminal, line string) error {
	said := words(line)
	if len(said) == 0 {
		return nil
	}
	if n, err := strconv.Atoi(said[0]); err == nil && len(said) == 1 {
		if n < 1 || n > len(v.listed) {
			return v.say("%d is not in a list that was shown. Say list, or show ID.\n", n)
		}
		line = fmt.Sprintf("show %d", v.listed[n-1])
		said = words(line)
	}
	if said[0] == "evidence" { // what the shell prints goes over the cable here
		said = append([]string{"send"}, said...)
	}
	name, err := v.find(said[0])
	if err != nil {
		return v.screen.say(err.Error() + "\n")
	}
	for _, own := range ownWords() {
		if own.name == name {
			v.note(ctx, line)
			return own.run(v, ctx, e, said[1:])
		}
	}
	return v.do(ctx, e, verbs.Find(name), line, said[1:])
}

// find is the word that was meant: a whole one, or the only one that begins so.
func (v *visit) find(word string) (string, error) {
	switch word {
	case "?":
		return "help", nil
	case "exit", "quit":
		return "logout", nil
	}
	names := v.names()
	if slices.Contains(names, word) {
		return word, nil
	}
	var fits []string
	for _, name := range names {
		if strings.HasPrefix(name, word) {
			fits = append(fits, name)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return "", fmt.Errorf(v.tr("%q is no word here; help lists them"), clean(word, 40))
	}
	return "", fmt.Errorf(v.tr("%s could be %s"), clean(word, 40), strings.Join(fits, ", "))
}

// do has a verb done. What changes something is confirmed, and on file, before it is.
func (v *visit) do(
	ctx context.Context, e *term.Terminal, verb *verbs.Verb, line string, args []string,
) error {
	if verb.Order {
		sure, err := v.confirm(e, args)
		if err != nil || !sure {
			return err
		}
	}
	if !v.note(ctx, line) && verb.Order {
		return v.say("That can not be written into the journal now, so it is not done.\n")
	}
	s := &verbs.Session{
		Lang: v.options.Lang, Width: widthDefault, Height: v.height, Who: v.who, Console: true,
		Client: v.options.Client, Config: v.options.Config,
	}
	live := verb.Live
	if verb.Name == "tail" { // which ends by itself, unless it was told to go on
		live = slices.Contains(args, "-f") || slices.Contains(args, "--follow")
	}
	err := v.page(ctx, live, func(ctx context.Context, out io.Writer) error {
		s.Out = out
		return verb.Do(ctx, s, args)
	})
	var outcome verbs.Outcome
	switch {
	case errors.As(err, &outcome), err == nil:
	case v.ends(err):
		return err
	default:
		return v.screen.say(clean(err.Error(), lineMax*2) + "\n")
	}
	if verb.Name == "stuck" {
		return v.remember(ctx, "stuck")
	}
	return nil
}

// ends says whether an error is the end of the visit, and not only of what was asked.
func (v *visit) ends(err error) bool {
	return v.screen.err != nil || errors.Is(err, errEcho) || errors.Is(err, errHungUp) ||
		errors.Is(err, errIdle) || errors.Is(err, errLogout) || v.gone()
}

func (v *visit) gone() bool {
	select {
	case <-v.feed.gone:
		return true
	default:
		return false
	}
}

// confirm has the visitor type again what it is about. It is on no line of ours, so no echo can.
func (v *visit) confirm(e *term.Terminal, args []string) (bool, error) {
	if len(args) == 0 {
		return true, nil // the verb will say what it wants
	}
	typed, err := v.readLine(e, v.tr("this changes something; type its number (or all) again: "))
	if err != nil {
		return false, err
	}
	want := strings.TrimPrefix(args[0], "#")
	if strings.TrimPrefix(strings.TrimSpace(typed), "#") != want {
		return false, v.say("Nothing was done.\n")
	}
	return true, nil
}

// list shows open payments with numbers.
func (v *visit) list(ctx context.Context, _ *term.Terminal, args []string) error {
	state := ""
	if len(args) > 0 {
		state = args[0]
	}
	ask, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	all, err := v.options.Client.Payments(ask, state)
	if err != nil {
		return v.screen.say(clean(err.Error(), lineMax) + "\n")
	}
	v.listed = v.listed[:0]
	if len(all) == 0 {
		return v.say("none\n")
	}
	return v.page(ctx, false, func(_ context.Context, out io.Writer) error {
		for i, p := range all {
			v.listed = append(v.listed, p.ID)
			_, err := fmt.Fprintf(out, "%3d  #%d  %s %s  %d.%02d %s  %s  %s\n", i+1, p.ID,
				verbs.Clean(p.Terminal), verbs.Clean(p.STAN), p.Amount/100, p.Amount%100,
				verbs.Clean(p.Currency), verbs.Clean(p.Phase), verbs.Clean(p.Cause))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// remember notes what numbers stand for after the verb has shown its list.
func (v *visit) remember(ctx context.Context, state string) error {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	all, err := v.options.Client.Payments(ctx, state)
	v.listed = v.listed[:0]
	if err != nil || len(all) == 0 {
		return nil
	}
	for _, p := range all {
		v.listed = append(v.listed, p.ID)
	}
	return v.say("1 to %d shows one of them, from the top\n", len(all))
}

func (v *visit) lines(_ context.Context, _ *term.Terminal, args []string) error {
	const rowsMax = 200
	n := -1
	if len(args) == 1 {
		if got, err := strconv.Atoi(args[0]); err == nil {
			n = got
		}
	}
	if n != 0 && n < 5 || n > rowsMax {
		return v.say("lines wants a number from 5 to %d, or 0\n", rowsMax)
	}
	v.height = n
	return nil
}

func (v *visit) help(ctx context.Context, _ *term.Terminal, args []string) error {
	return v.page(ctx, false, func(_ context.Context, out io.Writer) error {
		if len(args) > 0 {
			return v.helpOn(out, args[0])
		}
		for _, verb := range verbs.All() {
			if !elsewhere[verb.Name] {
				fmt.Fprintf(out, "  %-24s %s\n", verb.Usage(), v.options.Lang.Tr(verb.Short))
			}
		}
		for _, own := range ownWords() {
			fmt.Fprintf(out, "  %-24s %s\n", own.name+" "+own.args, v.tr(own.short))
		}
		return nil
	})
}

func (v *visit) helpOn(out io.Writer, word string) error {
	name, err := v.find(word)
	if err != nil {
		fmt.Fprintln(out, err)
		return nil
	}
	if verb := verbs.Find(name); verb != nil {
		lang := v.options.Lang
		fmt.Fprintf(out, "%s\n%s\n%s\n", verb.Usage(), lang.Tr(verb.Short), lang.Tr(verb.Long))
		for _, f := range verb.Flags {
			fmt.Fprintf(out, "  --%-14s %s\n", f.Name, lang.Tr(f.Doc))
		}
		return nil
	}
	for _, own := range ownWords() {
		if own.name == name {
			fmt.Fprintf(out, "%s %s\n%s\n", own.name, own.args, v.tr(own.short))
		}
	}
	return nil
}

func (*visit) logout(context.Context, *term.Terminal, []string) error { return errLogout }

// deadline says whether an error is only that nothing came.
func deadline(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
