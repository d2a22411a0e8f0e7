package acquirer

import (
	"strconv"
	"strings"

	"reversald/iso"
)

// read takes out of a message what the books need. From here on there is no card number, only its
// mask and its name.
func (b *Bank) read(m iso.Message) asked {
	q := asked{class: classOf(m.MTI)}
	q.MTI = m.MTI
	q.Codes = CodesFor(m.MTI)
	q.Reversal = q.class == '4'
	q.Terminal, q.STAN = printable(m.Fields[41]), printable(m.Fields[11])
	q.Processing, q.Currency = printable(m.Fields[3]), printable(m.Fields[49])
	q.Date, q.Batch = printable(m.Fields[13]), batchOf(m.Fields[60])
	q.Amount, q.hasAmount = amountOf(m.Fields[4])
	if digits := cardOf(m.Fields); digits != "" {
		q.Card = iso.PAN(digits).Masked()
		q.Account = b.ledger.Account(digits)
	}
	if q.Reversal {
		if stan, sent := linkOf(m); stan != "" {
			q.STAN, q.Sent = stan, sent
		}
		return q
	}
	q.Sent = printable(m.Fields[7])
	if m.MTI[0] == '1' {
		q.Sent = printable(m.Fields[12])
	}
	return q
}

// classOf reads what a message is from its type, without asking the profile: this bank is a
// witness, and a witness has eyes of its own. Advices of payments (0120, 0220) are not ours.
func classOf(mti string) byte {
	if len(mti) != 4 {
		return 0
	}
	switch class, function := mti[1], mti[2]; {
	case (class == '1' || class == '2') && function == '0':
		return class
	case class == '4' && (function == '0' || function == '2'):
		return class
	case (class == '5' || class == '8') && (function == '0' || function == '2'):
		return class
	}
	return 0
}

// linkOf reads the link to the original: STAN and, where it has one, the time the original was
// sent (DE 90 repeats DE 7; DE 56 of 1993 repeats DE 12). Some acquirers put type and STAN of the
// original into DE 62, 20 digits.
func linkOf(m iso.Message) (stan, sent string) {
	link := m.Fields[90]
	timeLen := 10
	switch {
	case m.MTI[0] == '1':
		link, timeLen = m.Fields[56], 12
	case link == "" && len(m.Fields[62]) == 20 && isDigits(m.Fields[62]):
		link = m.Fields[62][:10]
	}
	if len(link) < 10 || !isDigits(link[:10]) || link[4:10] == "000000" {
		return "", ""
	}
	stan = link[4:10]
	if len(link) >= 10+timeLen {
		sent = link[10 : 10+timeLen]
	}
	if !isDigits(sent) || strings.Trim(sent, "0") == "" {
		sent = ""
	}
	return stan, sent
}

// batchOf reads the batch number from UnionPay's DE 60: type n2, batch n6, network code n3, more.
func batchOf(reserved string) string {
	if len(reserved) < 11 || !isDigits(reserved) {
		return ""
	}
	return reserved[2:8]
}

func amountOf(digits string) (minor int64, ok bool) {
	if !isDigits(digits) {
		return 0, false
	}
	minor, err := strconv.ParseInt(digits, 10, 64)
	return minor, err == nil
}

// cardOf finds the card number: DE 2, else at the start of track 2 (DE 35) or track 1 (DE 45).
func cardOf(fields map[int]string) string {
	if pan := fields[2]; isDigits(pan) {
		return pan
	}
	if pan, _, _ := strings.Cut(strings.ReplaceAll(fields[35], "D", "="), "="); isDigits(pan) {
		return pan
	}
	if track := fields[45]; len(track) > 1 {
		if pan, _, _ := strings.Cut(track[1:], "^"); isDigits(pan) {
			return pan
		}
	}
	return ""
}
