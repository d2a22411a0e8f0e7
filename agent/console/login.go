package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"reversald/agent/badge"
	"reversald/iso"
)

const (
	// answerMax is more than any answer has, with blanks typed in.
	answerMax = 300
	// challengeLife is how long an answer is taken: long enough to fetch the laptop's other window.
	challengeLife = 5 * time.Minute
	// nonsenseMax is how many lines that are no answer are listened to. Noise gets no farther, and
	// is not counted as a failure.
	nonsenseMax = 3
)

var errNonsense = errors.New("nobody answered the challenge")

// login has the visitor show who they are. Without an error v.who is their name.
func (v *visit) login(ctx context.Context) error {
	o := v.options
	if len(o.Keys) == 0 && o.PIN == nil {
		_ = v.say("reversald %s: this console lets nobody in. Its configuration has neither a "+
			"technician's key (console.keys) nor a PIN (console.pin_file), and there is no "+
			"default.\n", badge.Plain(o.Terminal))
		return errNonsense
	}
	if left := v.console.lock.left(time.Now()); left > 0 {
		_ = v.say("reversald %s: locked after %d failed log-ins, for another %v\n",
			badge.Plain(o.Terminal), v.console.lock.failures, left.Round(time.Second))
		return errNonsense
	}
	challenge, err := badge.NewChallenge(o.Terminal)
	if err != nil {
		return err
	}
	if err := v.greet(challenge); err != nil {
		return err
	}
	v.until = time.Now().Add(challengeLife)
	for range nonsenseMax {
		line, err := v.hidden()
		if err != nil {
			return err
		}
		switch text := strings.TrimSpace(line); {
		case strings.Contains(text, challenge.Nonce()), v.guard.line(text):
			return errEcho
		case text == "":
			err = v.greet(challenge)
		case badge.Answers(text) && len(o.Keys) > 0:
			return v.tryKey(ctx, challenge, text)
		case badge.LooksLikePIN(text) && o.PIN != nil:
			return v.tryPIN(ctx, text)
		default:
			err = v.say("\nThat is no answer.\n")
		}
		if err != nil {
			return err
		}
	}
	return errNonsense
}

// greet shows the challenge.
func (v *visit) greet(c badge.Challenge) error {
	text := "\nreversald " + c.Terminal + "\n"
	if len(v.options.Keys) > 0 {
		text += "  " + v.tr("challenge") + "  " + c.String() + "\n" +
			"  " + v.tr("on the laptop") + ": reversald tech sign " + c.String() + "\n"
	}
	ask := "answer"
	switch {
	case len(v.options.Keys) == 0:
		ask = "PIN"
	case v.options.PIN != nil:
		ask = "answer or PIN"
	}
	return v.screen.say(text + v.tr(ask) + ": ")
}

// hidden reads a line without showing it.
func (v *visit) hidden() (string, error) {
	var line []byte
	for {
		left := time.Until(v.until)
		if left <= 0 {
			_ = v.say("\nToo late. Press ENTER for another challenge.\n")
			return "", errIdle
		}
		key, err := v.keys.read(left)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err != nil:
			return "", err
		}
		switch key[0] {
		case keyEnter:
			return string(line), nil
		case keyBack, keyDelete:
			line = line[:max(0, len(line)-1)]
		case keyErase, keyInterrupt:
			line = line[:0]
		case keyEOF:
			return "", errLogout
		default:
			if key[0] >= ' ' && len(line)+len(key) <= answerMax {
				line = append(line, key...)
			}
		}
	}
}

// tryKey looks at an answer. One with a slip of the finger in it costs nothing.
func (v *visit) tryKey(ctx context.Context, c badge.Challenge, answer string) error {
	key, err := badge.Check(c, answer, nil, time.Time{})
	if errors.Is(err, badge.ErrNotTyped) {
		_ = v.say("\nThe answer is mistyped or was cut. Press ENTER for another challenge.\n")
		return errNonsense
	}
	return v.try(ctx, "key", func() (string, error) {
		key, err = badge.Check(c, answer, v.options.Keys, time.Now())
		return key.Name, err
	})
}

func (v *visit) tryPIN(ctx context.Context, digits string) error {
	return v.try(ctx, "PIN", func() (string, error) { return "pin", v.options.PIN.Check(digits) })
}

// try counts a failure, and takes it back if it was none.
func (v *visit) try(ctx context.Context, way string, check func() (string, error)) error {
	lock := v.console.lock
	if err := lock.failing(time.Now()); err != nil {
		_ = v.say("\nThis terminal can not write down failed log-ins, so nobody may try: %v\n", err)
		return fmt.Errorf("count failed log-ins: %w", err)
	}
	who, err := check()
	if err != nil {
		v.note(ctx, fmt.Sprintf("login failed by %s, %d in a row: %v", way, lock.failures, err))
		v.options.Log.Warn("console log-in failed", slog.String("by", way),
			slog.Int("in_a_row", lock.failures), slog.String("err", err.Error()))
		_ = v.say("\nNo: %v\n", err)
		return err
	}
	if err := lock.passed(); err != nil {
		return fmt.Errorf("forget failed log-ins: %w", err)
	}
	v.who = who
	if !v.note(ctx, "login by "+way) {
		_ = v.say("\nThe log-in can not be written into the journal, so it is not allowed.\n")
		return errNonsense
	}
	v.options.Log.Info("console log-in", slog.String("who", who), slog.String("by", way))
	return nil
}

// holdsCard says whether a text has a card number in it.
func holdsCard(text string) bool { return iso.MaskText(text) != text }
