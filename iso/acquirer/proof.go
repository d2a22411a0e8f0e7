package acquirer

import (
	"bytes"
	"fmt"

	"reversald/iso"
)

// Authentication codes: what the bank asks of a message, and what it puts into its answers.

// unproven says what is wrong with the code of a message; "" when it is right, or not asked for.
func (b *Bank) unproven(q asked, body []byte) string {
	vault, mac := b.guard(), b.profile.MAC()
	if vault == nil || !mac.Sends(q.classInProfile()) {
		return ""
	}
	code, ok := mac.Of(body)
	if !ok {
		return "no authentication code"
	}
	data, err := mac.Cover(body)
	if err != nil {
		return err.Error()
	}
	want, err := MakeMAC(mac.Algorithm(), b.keyOf(vault, q.Terminal), data)
	if err != nil {
		return err.Error()
	}
	if !bytes.Equal(code, want[:min(len(code), len(want))]) {
		return "wrong authentication code"
	}
	return ""
}

// keyOf is the key a terminal has.
func (b *Bank) keyOf(vault *Vault, terminal string) []byte {
	return vault.key(terminal, b.profile.SignOn().KeysField() > 0)
}

// classInProfile is the class of a message, read from its type as everything here.
func (q asked) classInProfile() iso.Class {
	switch q.class {
	case '1', '2':
		return iso.ClassPayment
	case '4':
		return iso.ClassReversal
	case '5':
		return iso.ClassSettlement
	}
	return iso.ClassOther
}

// signOn puts new keys and the open batch into the answer to a sign-on.
func (b *Bank) signOn(m iso.Message, r Reply, fields map[int]string) {
	vault, field := b.guard(), b.profile.SignOn().KeysField()
	if vault == nil || field == 0 || !isSignOn(m) || r.Code != CodesFor(m.MTI).Network {
		return
	}
	blob, batch := vault.signOn(printable(m.Fields[41]))
	runes := make([]rune, len(blob))
	for i, c := range blob {
		runes[i] = rune(c)
	}
	fields[field] = string(runes)
	if reserved := fields[60]; batchOf(reserved) != "" {
		fields[60] = reserved[:2] + fmt.Sprintf("%06d", batch%1_000_000) + reserved[8:]
	}
}

// isSignOn tells a sign-on from an echo: DE 70 (1987), DE 24 (1993), or UnionPay's DE 60.3.
func isSignOn(m iso.Message) bool {
	if len(m.MTI) != 4 || m.MTI[1] != '8' {
		return false
	}
	what := m.Fields[70]
	if reserved := m.Fields[60]; what == "" && batchOf(reserved) != "" {
		what = reserved[8:11]
	}
	if m.MTI[0] == '1' {
		what = m.Fields[24]
	}
	switch what {
	case "001", "003", "004", "801":
		return true
	}
	return false
}

// authentic words an answer, with the code that it needs.
func (b *Bank) authentic(p Plan, header []byte, mti string, fields map[int]string) ([]byte, error) {
	vault, mac := b.guard(), b.profile.MAC()
	answer := iso.Glance{Class: answerClass(mti), Code: fields[39]}
	if vault == nil || p.NoMAC || !mac.Needs(answer) {
		return b.profile.ComposeWith(header, mti, fields)
	}
	mac.Room(fields)
	body, err := b.profile.ComposeWith(header, mti, fields)
	if err != nil {
		return nil, err
	}
	data, err := mac.Cover(body)
	if err != nil {
		return nil, err
	}
	code, err := MakeMAC(mac.Algorithm(), b.keyOf(vault, printable(fields[41])), data)
	if err != nil { // a terminal without keys cannot check a code either
		code = make([]byte, 8)
	}
	if p.BadMAC {
		code[0] ^= 1
	}
	return mac.Place(body, code)
}

// answerClass is the class of an answer, read from its type.
func answerClass(mti string) iso.Class {
	switch mti[1] {
	case '1', '2':
		return iso.ClassPaymentAnswer
	case '4':
		return iso.ClassReversalAnswer
	case '5':
		return iso.ClassSettlementAnswer
	}
	return iso.ClassOtherAnswer
}
