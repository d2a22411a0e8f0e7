// Package badge is how a technician shows who they are: with an Ed25519 key that never leaves their
// laptop.
//
// Think of a doorman who knows faces and no passwords: the terminal has public keys only, says
// something it has never said before (a challenge), and lets in whoever can sign it. What is copied
// from a terminal, or overheard on the cable, opens nothing.
//
// Both the challenge and the answer are made to be typed as well as pasted: letters and digits that
// are hard to mistake (Crockford's base 32), in groups, with a check sum at their end, so that a
// slip of the finger is told from a wrong key. The name of the terminal is part of what is signed.
package badge

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Faults of keys, challenges and answers.
var (
	// ErrNotTyped: not what it should be, or mistyped: the check sum does not fit.
	ErrNotTyped = errors.New("mistyped: the check at its end does not fit")
	// ErrWrong: well typed, and signed by no key we know, or for another challenge.
	ErrWrong = errors.New("signed by no key of this terminal")
	// ErrExpired: signed by a key whose time is over.
	ErrExpired = errors.New("the key's time is over")
)

const (
	challengeTag = "RC1"
	answerTag    = "RA1"
	// nonceBytes of randomness in a challenge: nobody meets the same one twice.
	nonceBytes = 10
	// nameMax bounds the names of technicians and terminals.
	nameMax = 40
	// label keeps a login's signature from being good for anything else.
	label = "reversald login v1\x00"
)

// keyWord begins a public key's line.
const keyWord = "reversald-tech"

// Key is a technician's public key, as a terminal's configuration holds it.
type Key struct {
	Name    string
	Public  ed25519.PublicKey
	Expires time.Time // zero: never
}

// ParseKey reads the line that keygen prints: reversald-tech KEY NAME [YYYY-MM-DD].
func ParseKey(line string) (Key, error) {
	words := strings.Fields(line)
	if len(words) < 3 || len(words) > 4 || words[0] != keyWord {
		return Key{}, fmt.Errorf("not a technician's public key: want %q, the key, a name, "+
			"and maybe the day it expires", keyWord)
	}
	public, err := base64.RawURLEncoding.DecodeString(words[1])
	if err != nil || len(public) != ed25519.PublicKeySize {
		return Key{}, errors.New("not a technician's public key: it is cut or mistyped")
	}
	k := Key{Name: words[2], Public: public}
	if k.Name != Plain(k.Name) {
		return Key{}, fmt.Errorf("%q is no name for a technician: letters, digits, . _ -", k.Name)
	}
	if len(words) == 4 {
		day, err := time.Parse(time.DateOnly, words[3])
		if err != nil {
			return Key{}, fmt.Errorf("%q is no day: want YYYY-MM-DD", words[3])
		}
		k.Expires = day.Add(24 * time.Hour) // the day itself is good
	}
	return k, nil
}

// String is the line that ParseKey reads.
func (k Key) String() string {
	text := keyWord + " " + base64.RawURLEncoding.EncodeToString(k.Public) + " " + k.Name
	if !k.Expires.IsZero() {
		text += " " + k.Expires.Add(-24*time.Hour).Format(time.DateOnly)
	}
	return text
}

// Challenge is what a terminal wants signed, once.
type Challenge struct {
	Terminal string
	nonce    [nonceBytes]byte
}

// NewChallenge is one that was never given before.
func NewChallenge(terminal string) (Challenge, error) {
	c := Challenge{Terminal: Plain(terminal)}
	_, err := rand.Read(c.nonce[:])
	return c, err
}

// ParseChallenge reads what a technician pasted or typed from the terminal's screen.
func ParseChallenge(text string) (Challenge, error) {
	parts := strings.SplitN(strings.TrimSpace(text), ".", 2)
	if len(parts) != 2 || !strings.EqualFold(parts[0], challengeTag) {
		return Challenge{}, fmt.Errorf("not a challenge: it begins with %s", challengeTag)
	}
	at := strings.LastIndexByte(parts[1], '.')
	if at < 0 {
		return Challenge{}, errors.New("not a challenge: its end is missing")
	}
	c := Challenge{Terminal: parts[1][:at]}
	nonce, err := typed(parts[1][at+1:], challengeTag+c.Terminal)
	if err != nil || len(nonce) != nonceBytes || c.Terminal != Plain(c.Terminal) {
		return Challenge{}, fmt.Errorf("challenge: %w", ErrNotTyped)
	}
	copy(c.nonce[:], nonce)
	return c, nil
}

// String is the challenge as the terminal shows it.
func (c Challenge) String() string {
	return challengeTag + "." + c.Terminal + "." + typable(c.nonce[:], challengeTag+c.Terminal)
}

// Nonce is the part of the text that no other challenge has: where it comes back, a line echoes.
func (c Challenge) Nonce() string {
	return typable(c.nonce[:], challengeTag+c.Terminal)
}

func (c Challenge) signed() []byte {
	return append([]byte(label+c.Terminal+"\x00"), c.nonce[:]...)
}

// Sign is the answer to a challenge.
func Sign(c Challenge, private ed25519.PrivateKey) string {
	return answerTag + "." + typable(ed25519.Sign(private, c.signed()), answerTag)
}

// Answers says whether a text could be an answer at all; anything else was never meant as one.
func Answers(text string) bool {
	tag, _, found := strings.Cut(strings.TrimSpace(text), ".")
	return found && strings.EqualFold(tag, answerTag)
}

// Check finds who signed a challenge. Now says which keys are still good.
func Check(c Challenge, answer string, keys []Key, now time.Time) (Key, error) {
	_, text, _ := strings.Cut(strings.TrimSpace(answer), ".")
	if !Answers(answer) {
		return Key{}, fmt.Errorf("not an answer: it begins with %s", answerTag)
	}
	signature, err := typed(text, answerTag)
	if err != nil || len(signature) != ed25519.SignatureSize {
		return Key{}, fmt.Errorf("answer: %w", ErrNotTyped)
	}
	for _, k := range keys {
		if !ed25519.Verify(k.Public, c.signed(), signature) {
			continue
		}
		if !k.Expires.IsZero() && !now.Before(k.Expires) {
			return k, fmt.Errorf("%s: %w", k.Name, ErrExpired)
		}
		return k, nil
	}
	return Key{}, ErrWrong
}

// Plain is a name with nothing in it but letters, digits and . _ -, bounded; empty becomes "-".
func Plain(name string) string {
	b := []byte(name[:min(len(name), nameMax)])
	for i, c := range b {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			b[i] = '_'
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}
