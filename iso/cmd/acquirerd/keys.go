package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"reversald/iso"
	"reversald/iso/acquirer"
)

// parseMaster reads --tmk; nothing is no key.
func parseMaster(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != 16 {
		return nil, errors.New("--tmk wants 16 bytes in hexadecimal")
	}
	return key, nil
}

// signOn gets the till its keys, if it was given the one that opens them.
func (t *till) signOn(ctx context.Context) error {
	s := t.profile.SignOn()
	if t.master == nil || s.None() {
		return nil
	}
	if err := t.dial(ctx, 0); err != nil {
		return fmt.Errorf("sign on: %s", plain(err))
	}
	_ = t.conn.SetDeadline(time.Now().Add(t.timeout))
	for i := range s.Messages() {
		body, err := s.Message(i, iso.Values{
			STAN: iso.FormatSTAN(i + 1), Terminal: t.tid, Merchant: t.mid, Time: t.sent,
		})
		if err != nil {
			return usage(fmt.Errorf("word the sign-on: %w", err))
		}
		answer, err := t.ask(body)
		if err != nil {
			return fmt.Errorf("sign on: %s", plain(err))
		}
		learned, err := s.Learn(answer)
		if err != nil {
			return fmt.Errorf("read the answer to the sign-on: %w", err)
		}
		if learned.Keys == nil {
			continue
		}
		if t.key, err = acquirer.Unwrap(t.master, learned.Keys); err != nil {
			return fmt.Errorf("sign on: %w", err)
		}
	}
	return nil
}

// ask sends a message and waits for its answer.
func (t *till) ask(body []byte) ([]byte, error) {
	question, err := t.profile.Glance(body)
	if err != nil {
		return nil, err
	}
	frame, err := t.profile.AppendFrame(nil, body)
	if err != nil {
		return nil, err
	}
	if _, err := t.conn.Write(frame); err != nil {
		return nil, err
	}
	for {
		answer, err := t.frames.Next()
		if err != nil {
			return nil, err
		}
		g, err := t.profile.Glance(answer)
		if err != nil || g.Key != question.Key || !g.Class.Answers(question.Class) {
			continue
		}
		if !t.profile.SignOn().Accepted(g) {
			return nil, errors.New("refused with " + orDash(g.Code))
		}
		return answer, nil
	}
}

// prove puts the authentication code into a message.
func (t *till) prove(body []byte) ([]byte, error) {
	mac := t.profile.MAC()
	data, err := mac.Cover(body)
	if err != nil {
		return nil, err
	}
	code, err := acquirer.MakeMAC(mac.Algorithm(), t.key, data)
	if err != nil {
		return nil, err
	}
	return mac.Place(body, code)
}
