package badge

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The passphrase is stretched on a laptop, so it may cost what OWASP asks for (2023).
const (
	passphraseRounds = 600_000
	roundsMax        = 10_000_000 // a file must not keep a laptop busy for minutes
	saltBytes        = 16
)

// ErrPassphrase means that the key is sealed with another passphrase, or damaged.
var ErrPassphrase = errors.New("wrong passphrase, or a damaged key file")

// NewSecret makes a technician's key, and the text of the file that keeps it. An empty passphrase
// leaves it open to whoever has the file.
func NewSecret(name, passphrase string) (Key, string, error) {
	if name == "" || name != Plain(name) {
		return Key{}, "", fmt.Errorf("%q is no name for a technician: letters, digits, . _ -", name)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, "", err
	}
	k := Key{Name: name, Public: public}
	text := "# A technician's key for reversald. Keep it to yourself; terminals get the public\n" +
		"# line only.\npublic: " + k.String() + "\n"
	if passphrase == "" {
		return k, text + "secret: " + encode(private.Seed()) + "\n", nil
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return Key{}, "", err
	}
	box, err := boxFor(passphrase, salt, passphraseRounds)
	if err != nil {
		return Key{}, "", err
	}
	// A fresh salt gives a fresh key, which seals this once: the nonce may be zero.
	//nolint:gosec // G407 does not see the salt
	sealed := box.Seal(nil, make([]byte, box.NonceSize()), private.Seed(), []byte(name))
	text += fmt.Sprintf("sealed: pbkdf2-sha256 %d %s %s\n", passphraseRounds, encode(salt),
		encode(sealed))
	return k, text, nil
}

// OpenSecret reads the file. Ask gives the passphrase, and is called only where there is one.
func OpenSecret(text string, ask func() (string, error)) (Key, ed25519.PrivateKey, error) {
	lines := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if word, rest, found := strings.Cut(line, ":"); found && !strings.HasPrefix(word, "#") {
			lines[word] = strings.TrimSpace(rest)
		}
	}
	k, err := ParseKey(lines["public"])
	if err != nil {
		return Key{}, nil, fmt.Errorf("not a technician's key file: %w", err)
	}
	seed, err := decode(lines["secret"])
	if sealed, found := lines["sealed"]; found {
		seed, err = unseal(sealed, k.Name, ask)
	}
	if err != nil {
		return Key{}, nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return Key{}, nil, errors.New("not a technician's key file: no secret in it")
	}
	private := ed25519.NewKeyFromSeed(seed)
	if !private.Public().(ed25519.PublicKey).Equal(k.Public) {
		return Key{}, nil, errors.New("the secret does not belong to the public key beside it")
	}
	return k, private, nil
}

func unseal(text, name string, ask func() (string, error)) ([]byte, error) {
	words := strings.Fields(text)
	if len(words) != 4 || words[0] != "pbkdf2-sha256" {
		return nil, errors.New("not a technician's key file: sealed in a way we do not know")
	}
	rounds, err := strconv.Atoi(words[1])
	salt, saltErr := decode(words[2])
	sealed, sealedErr := decode(words[3])
	if err := errors.Join(err, saltErr, sealedErr); err != nil {
		return nil, fmt.Errorf("not a technician's key file: %w", err)
	}
	if rounds < 1 || rounds > roundsMax {
		return nil, fmt.Errorf("not a technician's key file: %d rounds", rounds)
	}
	passphrase, err := ask()
	if err != nil {
		return nil, err
	}
	box, err := boxFor(passphrase, salt, rounds)
	if err != nil {
		return nil, err
	}
	seed, err := box.Open(nil, make([]byte, box.NonceSize()), sealed, []byte(name))
	if err != nil {
		return nil, ErrPassphrase
	}
	return seed, nil
}

func boxFor(passphrase string, salt []byte, rounds int) (cipher.AEAD, error) {
	block, err := aes.NewCipher(Stretch(passphrase, salt, rounds))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(text string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(text) }

// stretchedBytes is one block of SHA-256, which is all that is ever asked for.
const stretchedBytes = sha256.Size
