package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"reversald/iso"
)

// inputBytesMax is the most that is looked at: a capture of some thousand messages.
const inputBytesMax = 4 << 20

// toolError is what a command that only looks at files ends with.
type toolError struct {
	error
	code int
	hint string
}

func (e toolError) Unwrap() error { return e.error }

func decodeCommand(o *options) *cobra.Command {
	var profile string
	var framed bool
	cmd := &cobra.Command{
		Use:   "decode HEX|FILE|-",
		Short: "show messages field by field, masked",
		Long: "decode shows messages as a table: offset, field, name and value, with card data\n" +
			"masked. Where a message stops making sense it says so, with the offset, after what\n" +
			"was read before; the exit code is 65 then.\n\n" +
			"It takes hexadecimal with spaces, newlines or 0x, or a file of that or of bytes as\n" +
			"they are, or - for standard input, with or without the length in front of each\n" +
			"message. Without --profile it takes the built-in one that reads most of it, or\n" +
			"with --config the configuration's.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("hexadecimal, a file or - is wanted")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			profiles, err := o.profilesFor(profile)
			if err != nil {
				return err
			}
			in, err := readInput(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			r, err := in.read(profiles, framed)
			if err != nil {
				return err
			}
			return o.printReading(r, len(profiles) == 1)
		},
	}
	cmd.Flags().StringVarP(&profile, "profile", "p", "",
		"profile of the host: the name of a built-in one, or a file")
	cmd.Flags().BoolVar(&framed, "framed", false,
		"every message has its length in front, whatever it looks like")
	return cmd
}

// profilesFor are the profiles to try: the one that was named or configured, or all that are built
// in.
func (o *options) profilesFor(name string) ([]*iso.Profile, error) {
	names := []string{name}
	if name == "" && o.config != "" {
		c, err := o.load()
		if err != nil {
			return nil, err
		}
		names[0] = c.Profile
	} else if name == "" {
		names = iso.BuiltinNames()
		plain := func(name string) bool { return strings.HasPrefix(name, "iso87-") }
		slices.SortStableFunc(names, func(a, b string) int { // the plain ones before their dialects
			switch {
			case plain(a) == plain(b):
				return 0
			case plain(a):
				return -1
			}
			return 1
		})
	}
	var out []*iso.Profile
	for _, name := range names {
		p, err := openProfile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// readInput takes the arguments for a file, or for hexadecimal when there is no such file.
func readInput(stdin io.Reader, args []string) (input, error) {
	if len(args) == 1 && args[0] == "-" {
		return readFrom(stdin)
	}
	if len(args) == 1 {
		file, err := os.Open(args[0])
		if err == nil {
			defer file.Close()
			return readFrom(file)
		}
		switch {
		case errors.Is(err, fs.ErrPermission):
			return input{}, toolError{err, exitPermission, "let this user read the file"}
		case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(args[0], "./"):
			return input{}, toolError{err, exitNoInput, "give a file, - or hexadecimal"}
		}
	}
	return input{text: []byte(strings.Join(args, " ")), argument: true}, nil
}

func readFrom(r io.Reader) (input, error) {
	text, err := io.ReadAll(io.LimitReader(r, inputBytesMax+1))
	const hint = "give a file of one or more messages, or - for standard input"
	switch {
	case err != nil:
		return input{}, toolError{fmt.Errorf("read messages: %w", err), exitData, hint}
	case len(text) > inputBytesMax:
		return input{}, toolError{
			fmt.Errorf("longer than %d bytes", inputBytesMax), exitData, "cut it into pieces",
		}
	case len(text) == 0:
		return input{}, toolError{errors.New("no bytes to decode"), exitData, hint}
	}
	return input{text: text}, nil
}

// printReading shows every message, and ends with an error if not all of them are whole.
func (o *options) printReading(r reading, sure bool) error {
	for i, m := range r.messages {
		if o.json {
			if err := o.printJSON(r.shown(i)); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			o.printf("\n")
		}
		o.printMessage(r, i, m)
	}
	for i, m := range r.messages {
		if m.problem == nil || r.form.err != nil {
			continue
		}
		hint := "is that the right profile? See also --framed, and reversald profile list"
		if !sure {
			hint = "no built-in profile reads all of it; name your host's with --profile"
		}
		return toolError{fmt.Errorf("message %d%s", i+1, m.where()), exitData, hint}
	}
	if r.form.err != nil {
		return toolError{r.form.err, exitData, "give whole bytes, two digits each"}
	}
	return nil
}

// where is the problem of a message, with its place.
func (m message) where() string {
	at := fmt.Sprintf(" at byte %d", m.problem.Offset)
	if m.problem.Field >= 0 {
		at = ", " + m.problem.Name + at
	}
	if m.at > 0 {
		at += fmt.Sprintf(" (%d of the input)", m.at+m.problem.Offset)
	}
	return at + ": " + m.problem.Problem
}

func (o *options) printMessage(r reading, i int, m message) {
	front := ""
	if r.framed {
		front = " behind its length"
	}
	o.printf("message %d: %d bytes from byte %d on%s, profile %s\n", i+1, len(m.body), m.at, front,
		r.profile.Name())
	if len(m.body) == 0 && m.problem == nil {
		o.printf("a keepalive\n")
		return
	}
	names := len("name")
	for _, line := range m.lines {
		names = max(names, utf8.RuneCountInString(line.Name))
	}
	o.printf("%6s  %5s  %-*s  %s\n", "offset", "field", names, "name", "value")
	for _, line := range m.lines {
		field := strconv.Itoa(line.Field)
		if line.Field < 0 {
			field = "-"
		}
		value := line.Value
		if line.Problem != "" {
			value = strings.TrimSpace(value + " !! " + line.Problem)
		}
		row := fmt.Sprintf("%6d  %5s  %-*s  %s", line.Offset, field, names, line.Name, value)
		o.printf("%s\n", strings.TrimRight(row, " "))
	}
	if g, ok := m.glance(r.profile); ok {
		o.printf("%s\n", g)
	}
}

// glance is what the message is to the daemon, in a sentence.
func (m message) glance(p *iso.Profile) (string, bool) {
	g, err := p.Glance(m.body)
	if err != nil || m.problem != nil {
		return "", false
	}
	text := g.Class.String() + ", known by " + g.Key
	switch {
	case g.Class == iso.ClassPayment && g.Reversible:
		text += "; reversed when its outcome is unknown"
	case g.Class == iso.ClassPayment:
		text += "; never reversed"
	case g.Class == iso.ClassReversal:
		text += "; takes back " + g.OriginalKey
	case g.Class == iso.ClassPaymentAnswer:
		text += "; " + p.Outcome(g.Code).String()
	case g.Class == iso.ClassReversalAnswer:
		text += "; " + p.Verdict(g.Code).String()
	}
	return text, true
}
