package acquirer

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// names turns card numbers into account names with a keyed hash. The key lives beside the books
// and not in them: six and four digits and an unkeyed hash would give the number away in a second.
type names struct{ key [32]byte }

func newNames() (*names, error) {
	n := &names{}
	if _, err := rand.Read(n.key[:]); err != nil {
		return nil, fmt.Errorf("draw the account key: %w", err)
	}
	return n, nil
}

// loadNames reads the key file. It is made (mode 0600) only together with new books: another key
// would give every account another name, and a repeated request would look like another card's.
func loadNames(path string, newBooks bool) (*names, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && newBooks {
		return makeNames(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the account key: %w", err)
	}
	n := &names{}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != len(n.key) {
		return nil, fmt.Errorf("account key %s: want 64 hexadecimal digits", path)
	}
	copy(n.key[:], key)
	return n, nil
}

func makeNames(path string) (*names, error) {
	n, err := newNames()
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the account key: %w", err)
	}
	_, err = file.WriteString(hex.EncodeToString(n.key[:]) + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("write the account key: %w", err)
	}
	return n, nil
}

// account names a card: 16 hexadecimal digits, empty for no card.
func (n *names) account(digits string) string {
	if digits == "" {
		return ""
	}
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write([]byte(digits))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}
