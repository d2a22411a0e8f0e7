package faultsim

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // what UnionPay hosts use
	"fmt"
	"strconv"
	"strings"

	"reversald/hal"
	"reversald/iso"
)

// wire translates between messages and the bytes of a dialect, for tills and for the bank. It is
// the other end of the line: what the agent makes and reads of the bytes is the product's.
type wire struct {
	profile *iso.Profile
	union   bool // UnionPay, with MACs and sign-on
	bank    *hal.SoftKeys
	keys    byte // counts the bank's keys
}

// The card of every sale. None of it may be found anywhere.
const (
	pan       = "4111111111111111"
	track2    = pan + "=29122010000012345678"
	pinBlock  = "0123456789ABCDEF"
	merchant  = "MERCHANT0000001"
	masterKey = "0123456789ABCDEFFEDCBA9876543210"
	firstKeys = `{"keys": {"tmk": {"cipher": "des", "value": "` + masterKey + `"},
		"mak": {"cipher": "des", "value": "313131313131313134343434343434C4"}}}`
)

// secrets are the card in every form it could take on a disk.
var secrets = [...]string{
	pan, "\x41\x11\x11\x11\x11\x11\x11\x11", "29122010000012345678", pinBlock,
	"\x01\x23\x45\x67\x89\xab\xcd\xef", "CVV2=123",
}

func newWire(union bool) (*wire, error) {
	name := "iso87-ascii"
	if union {
		name = "unionpay"
	}
	profile, err := iso.Builtin(name)
	if err != nil {
		return nil, err
	}
	bank, err := hal.ParseSoftKeys([]byte(firstKeys))
	return &wire{profile: profile, union: union, bank: bank}, err
}

func terminalName(till uint8) string { return fmt.Sprintf("TERM%04d", till+1) }

// question is what a till's app sends.
func (x *wire) question(m *Message) ([]byte, error) {
	fields := map[int]string{
		2: pan, 3: "000000", 4: fmt.Sprintf("%012d", m.Sale), 11: fmt.Sprintf("%06d", m.STAN),
		14: "2912", 22: "021", 25: "00", 35: track2, 41: terminalName(m.Till), 42: merchant,
		49: "156", 52: pinBlock,
	}
	if x.union {
		fields[26], fields[53] = "06", "2600000000000000"
		fields[60], fields[64] = "22000001000500", "3132333435363738"
	} else {
		fields[7] = sentAt(m.Sale)
		fields[12], fields[13], fields[48] = fields[7][4:], "0301", "CVV2=123"
	}
	mti := "0200"
	switch m.Kind {
	case Reversal:
		mti = "0400"
		if m.Repeat && !x.union {
			mti = "0401"
		}
		for _, n := range []int{26, 35, 48, 52, 53} {
			delete(fields, n)
		}
		fields[39] = "06"
		if !x.union {
			fields[90] = "0200" + fields[11] + fields[7] + strings.Repeat("0", 22)
		}
	case Settle:
		mti = "0500"
		stan, terminal := fields[11], fields[41]
		fields = map[int]string{11: stan, 41: terminal, 42: merchant, 49: "156"}
		if x.union {
			fields[60] = "00000001201"
		}
	case Sale, SaleAnswer, ReversalAnswer, SignOn, SignOnAnswer, SettleAnswer, Echo, EchoAnswer:
	}
	return x.profile.Compose(mti, fields)
}

// sentAt is DE 7 of a sale: the same when it is asked again.
func sentAt(sale uint32) string {
	return fmt.Sprintf("0301%02d%02d%02d", sale/3600%24, sale/60%60, sale%60)
}

// read is what a frame says, to the bank or to a till.
func (x *wire) read(body []byte) (*Message, error) {
	d, err := x.profile.Decode(body)
	if err != nil {
		return nil, err
	}
	m := &Message{Code: d.Fields[39], Till: strangeTill}
	if len(d.MTI) != 4 {
		return nil, fmt.Errorf("message type %q", d.MTI)
	}
	switch d.MTI[:3] + "x" {
	case "020x", "021x":
		m.Kind = Sale
	case "040x", "041x":
		m.Kind = Reversal
		m.Repeat = d.MTI == "0401"
	case "050x", "051x":
		m.Kind = Settle
	case "080x", "081x":
		m.Kind = SignOn
	case "082x", "083x":
		m.Kind = Echo
	default:
		return nil, fmt.Errorf("message type %s", d.MTI)
	}
	if d.MTI[2]&1 == 1 {
		m.Kind = m.Kind.answer()
	} else {
		m.Code = "" // the reason of a reversal
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(d.Fields[41], "TERM")); err == nil {
		m.Till = uint8(n - 1)
	}
	stan, _ := strconv.Atoi(d.Fields[11])
	amount, _ := strconv.Atoi(d.Fields[4])
	m.STAN, m.Sale = uint32(stan), uint32(amount)
	return m, nil
}

// answer is what the bank says, in bytes; what is wrong with it is made wrong here.
func (x *wire) answer(m *Message) ([]byte, error) {
	fields := map[int]string{
		11: fmt.Sprintf("%06d", m.STAN), 39: m.Code, 41: terminalName(m.Till), 42: merchant,
	}
	var mti string
	switch m.Kind {
	case SaleAnswer, ReversalAnswer:
		mti = map[Kind]string{SaleAnswer: "0210", ReversalAnswer: "0410"}[m.Kind]
		fields[3], fields[4] = "000000", fmt.Sprintf("%012d", m.Sale)
		fields[37], fields[49] = "000000000042", "156"
		if approves(m.Code) {
			fields[38] = "A1B2C3"
		}
	case SignOnAnswer:
		mti = "0810"
		fields[60] = "00000001003"
		if m.NewKey {
			x.keys++
			blob, err := workingKeys(x.keys)
			if err == nil {
				_, err = x.bank.LoadWorkingKeys(context.Background(), hal.WorkingKeys{Blob: blob})
			}
			if err != nil {
				return nil, err
			}
			fields[62] = latin(blob)
		}
	case SettleAnswer:
		mti = "0510"
		if x.union {
			fields[60] = "00000001201"
		}
	case EchoAnswer:
		mti = "0830"
		if x.union {
			fields[60] = "00000001301"
		}
	case Sale, Reversal, SignOn, Settle, Echo:
		return nil, fmt.Errorf("the bank does not say %s", m.Kind)
	}
	return x.finish(m, mti, fields)
}

// finish puts the MAC in where there is one, and garbles what is to be garbled.
func (x *wire) finish(m *Message, mti string, fields map[int]string) ([]byte, error) {
	body, err := x.profile.Compose(mti, fields)
	if err != nil {
		return nil, err
	}
	if g, err := x.profile.Glance(body); err == nil && x.profile.MAC().Needs(g) {
		fields[64] = "0000000000000000"
		if body, err = x.profile.Compose(mti, fields); err != nil {
			return nil, err
		}
		if body, err = x.sign(body); err != nil {
			return nil, err
		}
		if m.BadMAC {
			body[len(body)-1] ^= 0x5a
		}
	}
	if m.Garbled {
		for i := len(body) / 3; i < len(body); i += 7 {
			body[i] ^= 0xa5
		}
	}
	return body, nil
}

func (x *wire) request(data []byte) (hal.MACRequest, error) {
	algorithm, err := hal.ParseMACAlgorithm(x.profile.MAC().Algorithm())
	return hal.MACRequest{Algorithm: algorithm, Data: data}, err
}

func (x *wire) sign(body []byte) ([]byte, error) {
	data, err := x.profile.MAC().Cover(body)
	if err != nil {
		return nil, err
	}
	r, err := x.request(data)
	if err != nil {
		return nil, err
	}
	code, err := x.bank.Sign(context.Background(), r)
	if err != nil {
		return nil, err
	}
	return x.profile.MAC().Place(body, code)
}

// proven says whether a reversal of the terminal's carries the MAC that the bank expects of it.
func (x *wire) proven(body []byte) bool {
	code, there := x.profile.MAC().Of(body)
	if !there {
		return false
	}
	data, err := x.profile.MAC().Cover(body)
	if err != nil {
		return false
	}
	r, err := x.request(data)
	r.Length = len(code)
	return err == nil && x.bank.Verify(context.Background(), r, code) == nil
}

// changeKey gives the bank a key that the terminal does not have: it must sign on.
func (x *wire) changeKey() error {
	x.keys++
	blob, err := workingKeys(x.keys)
	if err == nil {
		_, err = x.bank.LoadWorkingKeys(context.Background(), hal.WorkingKeys{Blob: blob})
	}
	return err
}

// workingKeys is field 62 of a sign-on: a PIN key and a MAC key under the master key, each with its
// check value.
func workingKeys(seed byte) ([]byte, error) {
	master, err := tripleDES([]byte("\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"))
	if err != nil {
		return nil, err
	}
	var blob []byte
	for _, half := range []byte{0x10, 0x70} {
		key := bytes.Repeat([]byte{half ^ seed}, 8)
		key = append(key, bytes.Repeat([]byte{half + 0x20 ^ seed}, 8)...)
		under, check := make([]byte, 16), make([]byte, 8)
		master.Encrypt(under, key[:8])
		master.Encrypt(under[8:], key[8:])
		block, err := tripleDES(key)
		if err != nil {
			return nil, err
		}
		block.Encrypt(check, check)
		blob = append(append(blob, under...), check[:4]...)
	}
	return blob, nil
}

func tripleDES(key []byte) (cipher.Block, error) {
	return des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...)) //nolint:gosec // see above
}

// latin is bytes as the text of a field, a letter for each.
func latin(raw []byte) string {
	letters := make([]rune, len(raw))
	for i, b := range raw {
		letters[i] = rune(b)
	}
	return string(letters)
}
