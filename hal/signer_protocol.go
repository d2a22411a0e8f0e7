package hal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The protocol between a terminal and a module that keeps the keys. SIGNER.md describes it; this
// file is both ends' idea of a line.
const (
	signerVersion = 1
	// signerLineBytesMax has room for the longest request, whose data is in hex, and is what a
	// module must be able to buffer. The end of the line is in it.
	signerLineBytesMax = 20 << 10
	// signerTextBytesMax is how much of a module's words goes into an error.
	signerTextBytesMax = 120
	// signerKeysMax is how many keys a module may list.
	signerKeysMax = 64
)

// The operations.
const (
	opHello  = "hello"
	opSign   = "sign"
	opVerify = "verify"
	opLoad   = "load"
	opInfo   = "info"
	opDerive = "derive"
)

// signerQuestion is a line from the terminal. The fields are written in this order, without
// spaces, and none needs an escape, so that a module may look for them with strstr.
type signerQuestion struct {
	ID      uint64   `json:"id"`
	Op      string   `json:"op"`
	Version int      `json:"version,omitempty"`
	Alg     string   `json:"alg,omitempty"`
	Key     string   `json:"key,omitempty"`
	Length  int      `json:"length,omitempty"`
	Slot    string   `json:"slot,omitempty"`
	Data    hexBytes `json:"data,omitempty"`
	MAC     hexBytes `json:"mac,omitempty"`
	Blob    hexBytes `json:"blob,omitempty"`
}

// signerAnswer is a line from the module. What it says beyond these is passed over.
type signerAnswer struct {
	ID         uint64    `json:"id"`
	OK         bool      `json:"ok"`
	Error      string    `json:"error,omitempty"`
	Text       string    `json:"text,omitempty"`
	Version    int       `json:"version,omitempty"`
	Name       string    `json:"name,omitempty"`
	MAC        hexBytes  `json:"mac,omitempty"`
	Secret     hexBytes  `json:"secret,omitempty"`
	Match      *bool     `json:"match,omitempty"`
	Generation *uint64   `json:"generation,omitempty"`
	Keys       []KeyInfo `json:"keys,omitempty"`
}

// signerErrors are the words a module has for what went wrong. Any other word is a refusal.
var signerErrors = []struct {
	word string
	err  error
}{
	{"request", ErrSignerRequest},
	{"algorithm", ErrSignerAlgorithm},
	{"no_key", ErrSignerNoKey},
	{"blob", ErrSignerBlob},
	{"check_value", ErrSignerCheckValue},
	{"version", ErrSignerProtocol},
}

// refusedWord is what our own server says when no other word fits.
const refusedWord = "refused"

// hexBytes are bytes as hex digits in a string: upper case when written, either when read.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return upperHex(b), nil }

func (b *hexBytes) UnmarshalText(text []byte) error {
	out := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(out, text); err != nil {
		return errNotHex
	}
	*b = out
	return nil
}

// encodeSignerLine is a message with the end of its line.
func encodeSignerLine(message any) ([]byte, error) {
	var line bytes.Buffer
	e := json.NewEncoder(&line) // which ends with a newline
	e.SetEscapeHTML(false)
	if err := e.Encode(message); err != nil {
		return nil, err
	}
	if line.Len() > signerLineBytesMax {
		return nil, fmt.Errorf("%w: a line of %d bytes", ErrSignerRequest, line.Len())
	}
	return line.Bytes(), nil
}

// decodeSignerAnswer reads a line that should answer the question. An answer that says no is an
// error; one that is no answer wraps ErrSignerProtocol.
func decodeSignerAnswer(line []byte, q signerQuestion) (signerAnswer, error) {
	var a signerAnswer
	if err := json.Unmarshal(line, &a); err != nil {
		return a, fmt.Errorf("%w: %s", ErrSignerProtocol, plain(err.Error()))
	}
	switch {
	case a.ID != q.ID:
		return a, fmt.Errorf("%w: answer %d to question %d", ErrSignerProtocol, a.ID, q.ID)
	case !a.OK && a.Error == "":
		return a, fmt.Errorf("%w: neither ok nor an error", ErrSignerProtocol)
	case !a.OK:
		return a, a.refusal()
	case a.Error != "":
		return a, fmt.Errorf("%w: ok with an error", ErrSignerProtocol)
	}
	return a, a.complete(q)
}

// complete tells whether everything is there that the question wants to know.
func (a signerAnswer) complete(q signerQuestion) error {
	switch q.Op {
	case opHello:
		if a.Version != signerVersion {
			return fmt.Errorf("%w: version %d, want %d",
				ErrSignerProtocol, a.Version, signerVersion)
		}
	case opSign:
		if len(a.MAC) != q.Length {
			return fmt.Errorf("%w: %d bytes of MAC, want %d",
				ErrSignerProtocol, len(a.MAC), q.Length)
		}
	case opDerive:
		if len(a.Secret) != q.Length {
			return fmt.Errorf("%w: a secret of %d bytes, want %d",
				ErrSignerProtocol, len(a.Secret), q.Length)
		}
	case opVerify:
		if a.Match == nil {
			return fmt.Errorf("%w: no match in the answer", ErrSignerProtocol)
		}
	case opLoad, opInfo:
		if a.Generation == nil {
			return fmt.Errorf("%w: no generation in the answer", ErrSignerProtocol)
		}
		if len(a.Keys) > signerKeysMax {
			return fmt.Errorf("%w: %d keys, want at most %d",
				ErrSignerProtocol, len(a.Keys), signerKeysMax)
		}
	}
	return nil
}

// errSaidNo marks an answer that keeps to the protocol and says no: the line stays usable.
var errSaidNo = errors.New("the module says no")

// refusal is the error that the module's word stands for, with what it has to say.
func (a signerAnswer) refusal() error {
	for _, known := range signerErrors {
		if a.Error == known.word {
			return &refusalError{cause: known.err, text: plain(a.Text)}
		}
	}
	return &refusalError{cause: ErrSignerRefused, text: plain(a.Error + " " + a.Text)}
}

// refusalError is a refusal. Its text is the module's.
type refusalError struct {
	cause error
	text  string
}

func (e *refusalError) Error() string {
	if e.text == "" {
		return e.cause.Error()
	}
	return e.cause.Error() + ": " + e.text
}

func (e *refusalError) Unwrap() []error { return []error{e.cause, errSaidNo} }

// plain makes somebody else's words fit for a log: one short line of printable ASCII.
func plain(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > signerTextBytesMax {
		text = text[:signerTextBytesMax]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}

// refuse is the answer that says no, in the word that fits the error.
func refuse(id uint64, err error) signerAnswer {
	a := signerAnswer{ID: id, Error: refusedWord, Text: plain(err.Error())}
	for _, known := range signerErrors {
		if errors.Is(err, known.err) {
			a.Error = known.word
			break
		}
	}
	return a
}

// decodeSignerQuestion reads a line from a terminal. Where it is none, the question has at least
// the id, if that much could be read.
func decodeSignerQuestion(line []byte) (signerQuestion, error) {
	var q signerQuestion
	if err := json.Unmarshal(line, &q); err != nil {
		return signerQuestion{ID: q.ID}, fmt.Errorf("%w: %w", ErrSignerRequest, err)
	}
	return q, nil
}

// greets tells whether the question is the greeting with which every line begins.
func (q signerQuestion) greets() error {
	if q.Op != opHello {
		return fmt.Errorf("%w: the line did not begin with hello", ErrSignerRequest)
	}
	if q.Version != signerVersion {
		return fmt.Errorf("%w: version %d, want %d", ErrSignerProtocol, q.Version, signerVersion)
	}
	return nil
}

// request is what a Signer is to be asked. What is wrong with it the Signer says.
func (q signerQuestion) request() (MACRequest, error) {
	a, err := ParseMACAlgorithm(q.Alg)
	if err != nil {
		return MACRequest{}, fmt.Errorf("%w: %w", ErrSignerAlgorithm, err)
	}
	return MACRequest{Algorithm: a, KeyName: q.Key, Length: q.Length, Data: q.Data}, nil
}
