package console

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"reversald/agent"
	"reversald/agent/armour"
	"reversald/agent/badge"
	"reversald/hal/ymodem"
)

const (
	// entriesDefault of the journal are sent when nobody says how many: about a minute at 9600
	// baud, packed.
	entriesDefault = 1000
	entriesMax     = 100_000
	// fileBytesMax bounds what is made in memory for the cable; packed it is a tenth.
	fileBytesMax = 8 << 20
)

// errTooLarge: ask for less.
var errTooLarge = fmt.Errorf("that is more than %d MiB: ask for fewer entries", fileBytesMax>>20)

// send sends a file: the evidence of a payment, or the newest of the journal.
func (v *visit) send(ctx context.Context, _ *term.Terminal, args []string) error {
	asText := len(args) > 0 && args[len(args)-1] == "text"
	if asText {
		args = args[:len(args)-1]
	}
	name, content, err := v.file(ctx, args)
	if err != nil {
		return v.screen.say(clean(err.Error(), lineMax) + "\n")
	}
	if asText {
		return v.page(ctx, true, func(_ context.Context, out io.Writer) error {
			return armour.Write(out, name, content)
		})
	}
	err = v.say("%s, %d bytes. Start YMODEM receive now (picocom: C-a C-r); two ^X stop it.\n",
		name, len(content))
	if err != nil {
		return err
	}
	line := rawLine{v}
	err = ymodem.Send(ctx, line, name, int64(len(content)), bytes.NewReader(content), nil)
	if derr := v.feed.drop(settle, quietLimit); derr != nil {
		return derr
	}
	if err != nil {
		if v.ends(err) {
			return err
		}
		return v.say("\nnot sent: %v. Without YMODEM say: send %s text\n", err,
			strings.Join(args, " "))
	}
	return v.say("\nsent\n")
}

// rawLine is the cable without keys and charsets, for YMODEM.
type rawLine struct{ v *visit }

// Next implements ymodem.Line.
func (r rawLine) Next(wait time.Duration) (byte, error) { return r.v.feed.Next(wait) }

// Write implements ymodem.Line.
func (r rawLine) Write(p []byte) (int, error) { return r.v.screen.raw(p) }

// file makes what is to be sent.
func (v *visit) file(ctx context.Context, args []string) (name string, content []byte, err error) {
	terminal := badge.Plain(v.options.Terminal)
	switch {
	case len(args) == 2 && args[0] == "evidence":
		id, err := strconv.ParseUint(strings.TrimPrefix(args[1], "#"), 10, 64)
		if err != nil {
			return "", nil, fmt.Errorf("%q is not a payment's number", clean(args[1], 20))
		}
		bundle, err := v.options.Client.Evidence(ctx, id, v.who)
		if err != nil {
			return "", nil, err
		}
		content, err := json.Marshal(bundle)
		return fmt.Sprintf("evidence-%s-%d.json", terminal, id), content, err
	case len(args) >= 1 && len(args) <= 2 && args[0] == "journal":
		n := entriesDefault
		if len(args) == 2 {
			if n, err = strconv.Atoi(args[1]); err != nil || n < 1 || n > entriesMax {
				return "", nil, fmt.Errorf("%q is no number from 1 to %d", clean(args[1], 20),
					entriesMax)
			}
		}
		content, err := v.journal(ctx, n)
		return "journal-" + terminal + ".jsonl.gz", content, err
	}
	return "", nil, errors.New("send evidence ID, or send journal [N]; text at the end: as text")
}

// journal is the newest n entries, masked as everywhere, packed.
func (v *visit) journal(ctx context.Context, n int) ([]byte, error) {
	var packed bytes.Buffer
	pack := gzip.NewWriter(&packed)
	out := json.NewEncoder(pack)
	err := v.options.Client.Journal(ctx, fmt.Sprintf("last=%d", n), func(l agent.Line) error {
		if packed.Len() > fileBytesMax {
			return errTooLarge
		}
		return out.Encode(l)
	})
	if err := errors.Join(err, pack.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
