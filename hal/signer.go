package hal

import (
	"context"
	"errors"
	"fmt"
)

// Signer owns the keys with which a terminal and its host know each other's messages. It is asked
// for a MAC and gives a MAC; no key ever comes out of it.
//
// Think of the notary in the back room: papers go in and come back with a seal, and nobody but the
// notary has ever seen the stamp. When the host sends new stamps in a locked box, the box is handed
// in unopened.
//
// A Signer may be used by many goroutines. Every method returns when ctx ends, or sooner by the
// implementation's own limit; with [MACNone] none of them asks anybody. An error never says that a
// MAC is right or wrong, with the one exception of ErrMACWrong.
type Signer interface {
	// Sign gives the MAC of the data with the key as it is at this moment: whoever sends a message
	// again asks again. With MACNone the answer is empty.
	Sign(ctx context.Context, r MACRequest) (mac []byte, err error)

	// Verify is nil only if mac is the MAC of the data. It wraps ErrMACWrong if it is another one,
	// or, whether there is a key or not, one of another length; any other error means that nobody
	// looked. The comparison takes the same time wherever the difference is. With MACNone nothing
	// is compared: nil.
	Verify(ctx context.Context, r MACRequest, mac []byte) error

	// LoadWorkingKeys takes the keys of a sign-on, all of them or none: if one does not agree with
	// its check value, those of before stay in force. The answer is the new generation.
	LoadWorkingKeys(ctx context.Context, k WorkingKeys) (generation uint64, err error)

	// Info is what the signer says about itself.
	Info(ctx context.Context) (SignerInfo, error)

	// Close forgets the keys, or lets go of whoever holds them, and unblocks all calls that are
	// under way. Afterwards everything returns ErrSignerClosed. Closing twice is not an error.
	Close() error
}

// MACRequest says of what a MAC is wanted.
type MACRequest struct {
	Algorithm MACAlgorithm // the zero value is refused
	KeyName   string       // of a MAC key, see ValidKeyName; empty = "mak"

	// Length is how many bytes of the MAC count, from the left: 4 to Algorithm.Size(). 0 = all.
	Length int

	// Data is what the profile calls the MAC range, 1 to MACDataBytesMax bytes: for UnionPay from
	// the message type to the byte before field 64.
	Data []byte
}

// WorkingKeys is what a sign-on brought.
type WorkingKeys struct {
	// Slot tells the hosts of one terminal apart; empty = the only one. The keys of slot "b" are
	// named "b/tmk" (the master key they come under), "b/pik", "b/mak" and "b/tdk"; those of the
	// empty slot "tmk", "pik", "mak" and "tdk".
	Slot string

	// Blob is UnionPay's field 62 as it came, 24, 40 or 60 bytes; each key is encrypted under the
	// master key and followed by its check value. See SIGNER.md for the layouts.
	Blob []byte
}

// SignerInfo is what a signer says about itself. There are no secrets in it.
type SignerInfo struct {
	Kind string // "none", "software" or "external"
	Name string // what an external module calls itself; else empty

	// Generation changes whenever working keys are loaded, and is 0 before the first time. It is
	// good for one comparison, "are these still the keys of then": a module that was restarted
	// may count from the beginning.
	Generation uint64

	Keys []KeyInfo // sorted by name; a module need not list them
}

// KeyInfo describes a key without telling it.
type KeyInfo struct {
	Name    string `json:"name"`
	Cipher  string `json:"cipher"`  // "des", "aes" or "sm4"
	Bits    int    `json:"bits"`    // as stored, so with the parity bits of DES
	Check   string `json:"check"`   // six hex digits: the first bytes of zeros encrypted with it
	Working bool   `json:"working"` // came with a sign-on
}

// Limits of every signer.
const (
	// MACDataBytesMax is twice the longest frame of the hosts we know. Our choice.
	MACDataBytesMax = 8 << 10
	// macBytesMin is what ANSI X9.9 and X9.19 send: half a block.
	macBytesMin = 4
	// keyNameBytesMax keeps names on one line of a screen. Our choice.
	keyNameBytesMax = 32
)

// When a signer was asked for something that cannot be.
var (
	// ErrSignerRequest is wrapped when the request makes no sense: a name, a length, no data.
	ErrSignerRequest = errors.New("not a request a signer can take")
	// ErrSignerAlgorithm is wrapped when the signer does not have the algorithm, or when the key
	// is not one for it.
	ErrSignerAlgorithm = errors.New("algorithm and key do not go together")
	// ErrSignerNoKey is wrapped when there is no key of that name. For a working key the cure is
	// a sign-on.
	ErrSignerNoKey = errors.New("no such key")
	// ErrMACWrong is wrapped when a MAC is not the one of the data.
	ErrMACWrong = errors.New("MAC is wrong")
)

// When working keys are loaded.
var (
	// ErrSignerBlob is wrapped when the blob has none of the known layouts.
	ErrSignerBlob = errors.New("working keys have an unknown layout")
	// ErrSignerCheckValue is wrapped when a key does not agree with its check value: the blob is
	// damaged, or was made for another master key.
	ErrSignerCheckValue = errors.New("working key does not agree with its check value")
)

// When it is the signer that fails.
var (
	// ErrSignerAway is wrapped when nobody is there, or the line to it broke.
	ErrSignerAway = errors.New("signer is away")
	// ErrSignerSlow is wrapped when the time was over before there was an answer.
	ErrSignerSlow = errors.New("signer gave no answer in time")
	// ErrSignerProtocol is wrapped when the answer is none that SIGNER.md allows.
	ErrSignerProtocol = errors.New("signer does not keep to the protocol")
	// ErrSignerRefused is wrapped when a module refuses for a reason of its own.
	ErrSignerRefused = errors.New("signer refused")
	// ErrSignerClosed is wrapped by everything after Close.
	ErrSignerClosed = errors.New("signer is closed")
	// ErrKeyFile is wrapped when a key file is refused.
	ErrKeyFile = errors.New("key file is refused")
)

// The last part of a key's name says what it is for.
const (
	keyMaster = "tmk" // encrypts the three others on their way
	keyPIN    = "pik"
	keyMAC    = "mak"
	keyTrack  = "tdk"
)

// ValidKeyName tells whether s can name a key: 1 to 32 of a-z, 0-9, dot, dash, underscore and
// slash. Nothing in it needs quoting anywhere.
func ValidKeyName(s string) bool {
	if s == "" || len(s) > keyNameBytesMax {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '.', c == '-', c == '_', c == '/':
		default:
			return false
		}
	}
	return true
}

// keyName puts a slot before the name of a key.
func keyName(slot, key string) string {
	if slot == "" {
		return key
	}
	return slot + "/" + key
}

// checked puts in what the zero values stand for, and refuses what no signer can do.
func (r MACRequest) checked() (MACRequest, error) {
	if r.KeyName == "" {
		r.KeyName = keyMAC
	}
	size := r.Algorithm.Size()
	if r.Length == 0 {
		r.Length = size
	}
	switch {
	case !r.Algorithm.valid():
		return r, fmt.Errorf("%w: %w %d", ErrSignerRequest, errUnknownMAC, r.Algorithm)
	case r.Algorithm == MACNone:
		return r, nil
	case !ValidKeyName(r.KeyName):
		return r, fmt.Errorf("%w: key name %.40q", ErrSignerRequest, r.KeyName)
	case r.Length < macBytesMin || r.Length > size:
		return r, fmt.Errorf("%w: %d bytes of MAC, want %d to %d",
			ErrSignerRequest, r.Length, macBytesMin, size)
	case len(r.Data) == 0 || len(r.Data) > MACDataBytesMax:
		return r, fmt.Errorf("%w: %d bytes of data, want 1 to %d",
			ErrSignerRequest, len(r.Data), MACDataBytesMax)
	}
	return r, nil
}
