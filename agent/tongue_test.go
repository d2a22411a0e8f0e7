package agent_test

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/des"
	"errors"
	"path/filepath"
	"testing"

	"reversald/agent"
	"reversald/hal"
	"reversald/hal/haltest"
	"reversald/iso"
)

// tongue is what a till and a host say in one dialect. It is written down here a second time, and
// not read from the profile, so that a test fails when a profile changes its mind.
type tongue struct {
	profile            string
	ask, answered      string                                     // MTI of a sale and its answer
	sale               func(terminal, stan string) map[int]string // what a till asks
	yes, no            string                                     // codes of the host
	wait               string                                     // "wait": the answer is still to come
	unclear            string                                     // the code that says neither yes nor no
	first, repeat      string                                     // MTI of a reversal, and when it is sent again
	reason             map[int]string                             // what a reversal says after silence
	done               []string                                   // codes that end a reversal
	retry              []string                                   // codes after which it is sent again
	stuck              []string                                   // codes that want a person; the last is in no list
	signOn             []string                                   // codes after which a sign-on comes first
	unknown            string                                     // our own codes to the till
	reversed           string
	hello, helloed, hi string // MTI of a sign-on, code of its good answer, MTI of an echo
	ownTrace           bool   // a reversal has a trace number of its own
}

// tongues are the dialects that come with the program.
var tongues = map[string]tongue{
	"iso87-ascii": iso87("iso87-ascii"),
	"iso87-bcd":   iso87("iso87-bcd"),
	"unionpay": {
		profile: "unionpay", ask: "0200", answered: "0210", sale: unionPaySale,
		yes: "00", no: "51", wait: "09", unclear: "68", first: "0400", repeat: "0400",
		reason: map[int]string{39: "98", 60: "22000001000500"},
		done:   []string{"00", "12", "25"}, retry: []string{"09", "68", "90", "91", "92", "96", "98"},
		stuck: []string{"03", "30", "58", "97", "94"}, signOn: []string{"77", "99", "A0"},
		unknown: "68", reversed: "06", hello: "0800", helloed: "00", hi: "0820",
	},
	"iso93": {
		profile: "iso93", ask: "1200", answered: "1210", sale: sale93,
		yes: "000", no: "116", wait: "923", unclear: "911", first: "1420", repeat: "1421",
		reason: map[int]string{24: "400", 25: "4021"},
		done:   []string{"400", "480", "481", "482"},
		retry:  []string{"906", "907", "909", "910", "911", "912", "923"},
		stuck:  []string{"902", "904", "905", "913", "000"}, signOn: []string{"916", "917", "918", "919"},
		unknown: "911", reversed: "100", hello: "1804", helloed: "800", hi: "1804", ownTrace: true,
	},
	"as2805": {
		profile: "as2805", ask: "0200", answered: "0210", sale: as2805Sale,
		yes: "00", no: "51", wait: "09", unclear: "68", first: "0420", repeat: "0421",
		reason: map[int]string{39: ""},
		done:   []string{"00", "12", "25"}, retry: []string{"09", "68", "90", "91", "92", "96"},
		stuck: []string{"03", "30", "58", "97", "94"}, signOn: []string{"77", "98", "99", "A0"},
		unknown: "68", reversed: "06", hello: "0800", helloed: "00", hi: "0800",
	},
}

func iso87(profile string) tongue {
	return tongue{
		profile: profile, ask: "0200", answered: "0210", sale: sale,
		yes: "00", no: "51", wait: "09", unclear: "68", first: "0400", repeat: "0401",
		reason: map[int]string{39: "68"},
		done:   []string{"00", "12", "25"}, retry: []string{"09", "68", "90", "91", "92", "96", "98"},
		stuck:   []string{"03", "30", "58", "97", "94"},
		unknown: "68", reversed: "06",
	}
}

func unionPaySale(terminal, stan string) map[int]string {
	return map[int]string{
		2: "4111111111111111", 3: "000000", 4: "000000001234", 11: stan, 14: "2912", 22: "021",
		25: "00", 26: "06", 35: "4111111111111111=29122010000012345678", 41: terminal,
		42: "MERCHANT0000001", 49: "156", 52: "0123456789ABCDEF", 53: "2600000000000000",
		60: "22000001000500", 64: "3132333435363738",
	}
}

func as2805Sale(terminal, stan string) map[int]string {
	fields := sale(terminal, stan)
	delete(fields, 43)
	fields[32], fields[64] = "10000000987", "0102030405060708"
	return fields
}

func sale93(terminal, stan string) map[int]string {
	return map[int]string{
		2: "4111111111111111", 3: "000000", 4: "000000001234", 7: "0301090000", 11: stan,
		12: "260301090000", 14: "2912", 22: "210101210140", 24: "200", 25: "1508", 26: "5411",
		32: "123456", 35: "4111111111111111=29122010000012345678", 41: terminal,
		42: "MERCHANT0000001", 48: "CVV2=123", 49: "978", 52: "0123456789ABCDEF",
	}
}

// everywhere tells a story once in every dialect that comes with the program.
func everywhere(t *testing.T, f func(s *shop), changes ...func(*shop)) {
	t.Helper()
	t.Parallel()
	for name := range tongues {
		t.Run(name, func(t *testing.T) {
			story(t, f, append([]func(*shop){speaking(name)}, changes...)...)
		})
	}
}

// speaking is a change to a shop: another dialect, with MAC keys where that has MACs, and a host
// that answers sign-ons and echoes by itself.
func speaking(name string) func(*shop) {
	return func(s *shop) {
		profile, err := iso.Builtin(name)
		if err != nil {
			s.t.Fatal(err)
		}
		s.tongue = tongues[name]
		s.has(profile)
	}
}

// speakingAs is speaking, with a profile in testdata that extends that dialect.
func speakingAs(name, file string) func(*shop) {
	return func(s *shop) {
		profile, err := iso.Load(filepath.Join("testdata", file))
		if err != nil {
			s.t.Fatal(err)
		}
		s.tongue = tongues[name]
		s.has(profile)
	}
}

// has gives the shop a profile, and both sides the same keys if it has MACs.
func (s *shop) has(profile *iso.Profile) {
	s.profile, s.answersSelf = profile, true
	config := agent.DefaultConfig()
	config.Host = s.limits.Hosts
	config.RedialMax = s.limits.RedialMax
	s.limits = config.Limits(profile)
	if !profile.MAC().None() {
		s.signer, s.bank = softKeys(s.t), softKeys(s.t)
	}
}

// signedOn is a change to a shop: the terminal is known from the start, so it signs on by itself,
// and the test answers.
func signedOn(s *shop) {
	s.limits.Terminal, s.limits.Merchant = "TERM0001", "MERCHANT0000001"
	s.answersSelf = false
}

// misbehaving is a change to a shop: what goes wrong with the signer of the terminal, call by call.
func misbehaving(script ...haltest.SignerFaults) func(*shop) {
	return func(s *shop) {
		if s.signer == nil {
			s.signer = hal.None{}
		}
		s.signer = haltest.NewSigner(s.signer, script...)
	}
}

// faults is the shop's misbehaving signer.
func (s *shop) faults() *haltest.Signer { return s.signer.(*haltest.Signer) }

// masterKey is the key that working keys come under.
const masterKey = "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"

// softKeys are the keys a terminal has from the start.
func softKeys(t *testing.T) *hal.SoftKeys {
	t.Helper()
	keys, err := hal.ParseSoftKeys([]byte(`{"keys": {
		"tmk": {"cipher": "des", "value": "0123456789ABCDEFFEDCBA9876543210"},
		"mak": {"cipher": "des", "value": "313131313131313134343434343434C4"}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// workingKeys is field 62 of a sign-on: a PIN key and a MAC key under the master key, each with its
// check value. Another seed gives other keys.
func workingKeys(seed byte) []byte {
	var blob []byte
	for _, half := range []byte{0x10, 0x70} {
		key := append(bytes.Repeat([]byte{half ^ seed}, 8), bytes.Repeat([]byte{half + 0x20 ^ seed}, 8)...)
		master, under := tripleDES([]byte(masterKey)), make([]byte, 16)
		master.Encrypt(under, key[:8])
		master.Encrypt(under[8:], key[8:])
		check := make([]byte, 8)
		tripleDES(key).Encrypt(check, check)
		blob = append(append(blob, under...), check[:4]...)
	}
	return blob
}

func tripleDES(key []byte) cipher.Block {
	block, err := des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...)) //nolint:gosec // the hosts' choice
	if err != nil {
		panic(err)
	}
	return block
}

// latin is bytes as the text of a field, a letter for each.
func latin(raw []byte) string {
	letters := make([]rune, len(raw))
	for i, b := range raw {
		letters[i] = rune(b)
	}
	return string(letters)
}

// hands gives the host new keys and returns them as its answer to a sign-on brings them.
func (h *host) hands(seed byte) string {
	h.shop.t.Helper()
	blob := workingKeys(seed)
	_, err := h.shop.bank.LoadWorkingKeys(context.Background(), hal.WorkingKeys{Blob: blob})
	if err != nil {
		h.shop.t.Fatal(err)
	}
	return latin(blob)
}

// words is a message of the host's, with a MAC where the dialect wants one.
func (h *host) words(mti string, fields map[int]string) []byte {
	h.shop.t.Helper()
	return h.signs(h.plain(mti, fields))
}

// plain is a message of the host's with room for the MAC where the dialect wants one, and none in it.
func (h *host) plain(mti string, fields map[int]string) []byte {
	h.shop.t.Helper()
	p := h.shop.profile
	body, err := p.Compose(mti, fields)
	if err != nil {
		h.shop.t.Error(err)
		return nil
	}
	g, err := p.Glance(body)
	if err != nil || h.shop.bank == nil || !p.MAC().Needs(g) {
		return body
	}
	fields[64] = "0000000000000000"
	if body, err = p.Compose(mti, fields); err != nil {
		h.shop.t.Error(err)
	}
	return body
}

// signs puts the MAC into a message that has room for one.
func (h *host) signs(body []byte) []byte {
	h.shop.t.Helper()
	mac := h.shop.profile.MAC()
	if _, wants := mac.Of(body); !wants || h.shop.bank == nil {
		return body
	}
	data, err := mac.Cover(body)
	if err != nil {
		h.shop.t.Error(err)
		return body
	}
	code, err := h.shop.bank.Sign(context.Background(), h.shop.macOver(data))
	if err == nil {
		body, err = mac.Place(body, code)
	}
	if err != nil {
		h.shop.t.Error(err)
	}
	return body
}

func (s *shop) macOver(data []byte) hal.MACRequest {
	s.t.Helper()
	algorithm, err := hal.ParseMACAlgorithm(s.profile.MAC().Algorithm())
	if err != nil {
		s.t.Error(err)
	}
	return hal.MACRequest{Algorithm: algorithm, Data: data}
}

// macOf is the MAC of a message, and whether it is right by the host's keys of this moment.
func (s *shop) macOf(body []byte) (code string, right bool) {
	s.t.Helper()
	mac := s.profile.MAC()
	raw, present := mac.Of(body)
	if !present {
		return "", false
	}
	data, err := mac.Cover(body)
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.bank.Verify(context.Background(), s.macOver(data), raw)
	if err != nil && !errors.Is(err, hal.ErrMACWrong) {
		s.t.Fatal(err)
	}
	return string(raw), err == nil
}

// proven checks that the message the host heard last carries a right MAC, and returns that.
func (h *host) proven() string {
	h.shop.t.Helper()
	code, right := h.shop.macOf(h.body)
	if !right {
		h.shop.t.Errorf("the MAC %q of what the host hears is wrong", code)
	}
	return code
}

// answersSelf answers a sign-on or an echo in the test's place.
func (h *host) answersSelf(body []byte, m iso.Message) bool {
	p := h.shop.profile
	g, err := p.Glance(body)
	if err != nil || g.Class != iso.ClassOther || !h.shop.answersSelf {
		return false
	}
	if wire, err := p.AppendFrame(nil, h.words(p.AnswerMTI(m.MTI), answer(m, h.shop.tongue.helloed))); err == nil {
		_, _ = h.line.Host.Write(wire)
	}
	return true
}

// askedFor takes the request of a sale, and checks that it is the till's own bytes.
func (h *host) askedFor(sent []byte) iso.Message {
	h.shop.t.Helper()
	m := h.hears(h.shop.tongue.ask)
	if !bytes.Equal(h.body, sent) {
		h.shop.t.Errorf("the till's bytes are changed:\nsent  %X\nheard %X", sent, h.body)
	}
	return m
}

// reverse takes attempt n at a reversal, whose MTI is the profile's.
func (h *host) reversal(n int) iso.Message {
	h.shop.t.Helper()
	if n > 1 {
		return h.hears(h.shop.tongue.repeat)
	}
	return h.hears(h.shop.tongue.first)
}
