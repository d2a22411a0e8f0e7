package badge

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// pinRounds is what an ARM926 at 200 MHz does in about half a second: two SHA-256 blocks a round.
// A PIN has few digits, so what protects it is the lock-out; the rounds are for a file that was
// stolen.
const pinRounds = 20_000

const (
	pinDigitsMin = 6
	pinDigitsMax = 12 // one less than the shortest card number
	pinRoundsMax = 1_000_000
)

// ErrPIN means that it is another PIN.
var ErrPIN = errors.New("wrong PIN")

// PIN is what a terminal keeps of one.
type PIN struct {
	rounds int
	salt   []byte
	hash   []byte
}

// LooksLikePIN says whether a text could be a PIN at all.
func LooksLikePIN(text string) bool {
	if len(text) < pinDigitsMin || len(text) > pinDigitsMax {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}

// NewPIN is what goes into the terminal's PIN file. A PIN that is everybody's first guess is
// refused: there is no default PIN, and none that might as well be one.
func NewPIN(digits string) (PIN, error) {
	if !LooksLikePIN(digits) {
		return PIN{}, fmt.Errorf("a PIN has %d to %d digits", pinDigitsMin, pinDigitsMax)
	}
	step := (int(digits[1]) - int(digits[0]) + 10) % 10
	even := true
	for i := 1; i < len(digits); i++ {
		even = even && (int(digits[i])-int(digits[i-1])+10)%10 == step
	}
	if even { // 111111, 123456, 987654, 135791
		return PIN{}, errors.New("that PIN is everybody's first guess: take another")
	}
	p := PIN{rounds: pinRounds, salt: make([]byte, saltBytes)}
	if _, err := rand.Read(p.salt); err != nil {
		return PIN{}, err
	}
	p.hash = Stretch(digits, p.salt, p.rounds)
	return p, nil
}

// ParsePIN reads the file's one line.
func ParsePIN(text string) (PIN, error) {
	words := strings.Fields(text)
	if len(words) != 4 || words[0] != "pbkdf2-sha256" {
		return PIN{}, errors.New("not a PIN file: reversald tech pin makes one")
	}
	rounds, err := strconv.Atoi(words[1])
	salt, saltErr := decode(words[2])
	hash, hashErr := decode(words[3])
	if err := errors.Join(err, saltErr, hashErr); err != nil {
		return PIN{}, fmt.Errorf("not a PIN file: %w", err)
	}
	if rounds < 1000 || rounds > pinRoundsMax || len(salt) < 8 || len(hash) != stretchedBytes {
		return PIN{}, errors.New("not a PIN file: its numbers make no sense")
	}
	return PIN{rounds, salt, hash}, nil
}

// String is the line that ParsePIN reads. It does not show the PIN.
func (p PIN) String() string {
	return fmt.Sprintf("pbkdf2-sha256 %d %s %s", p.rounds, encode(p.salt), encode(p.hash))
}

// Check compares in constant time.
func (p PIN) Check(digits string) error {
	if subtle.ConstantTimeCompare(Stretch(digits, p.salt, p.rounds), p.hash) != 1 {
		return ErrPIN
	}
	return nil
}

// Stretch is PBKDF2 with HMAC-SHA-256 and one block of output (RFC 8018, section 5.2). The standard
// library has it since Go 1.24; the build for the oldest kernels uses 1.23.
func Stretch(secret string, salt []byte, rounds int) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(salt)
	mac.Write([]byte{0, 0, 0, 1})
	u := mac.Sum(nil)
	out := append([]byte(nil), u...)
	for range rounds - 1 {
		mac.Reset()
		mac.Write(u)
		u = mac.Sum(u[:0])
		for i := range out {
			out[i] ^= u[i]
		}
	}
	return out
}
