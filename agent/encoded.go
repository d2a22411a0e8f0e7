package agent

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"reversald/agent/payment"
	"reversald/store"
)

// Encoded is a line as JSON, ready to be forwarded. Whoever follows the journal wants every entry,
// and takes its share of the processor from the payments: so it is not decoded to be encoded again.
type Encoded struct {
	Seq, ID uint64
	Kind    string
	JSON    []byte // what json.Marshal makes of the Line; it belongs to nobody, and stays as it is
}

// Encode is what Encoded gives for a line, the long way.
func (l Line) Encode() (Encoded, error) {
	text, err := json.Marshal(l)
	return Encoded{Seq: l.Seq, ID: l.ID, Kind: l.Kind, JSON: text}, err
}

// Encoded is Lines for those who only forward them.
func (a *Agent) Encoded(from uint64, limit int) ([]Encoded, error) {
	entries, damage := a.journal.Scan(from, limit)
	if damage != nil && !errors.Is(damage, store.ErrCorrupt) {
		return nil, damage
	}
	if damage != nil || !a.dense(entries, from) {
		return a.encodedLines(from, limit)
	}
	all := make([]Encoded, 0, len(entries))
	var text []byte // of all, one behind the other
	for i, e := range entries {
		card := a.maskedCard(e)
		before := len(text)
		if cap(text)-before < len(e.Payload)+lineRest {
			text = make([]byte, 0, (len(entries)-i)*(len(e.Payload)+lineRest))
			before = 0
		}
		text = appendLine(text, e, card)
		if len(text) == before { // not as we write them
			l, err := line(e, card)
			if err != nil {
				return nil, err
			}
			one, err := l.Encode()
			if err != nil {
				return nil, err
			}
			all = append(all, one)
			continue
		}
		all = append(all, Encoded{
			Seq: e.Seq, ID: e.Key, Kind: payment.Kind(e.Kind).String(),
			JSON: text[before:len(text):len(text)],
		})
	}
	return all, nil
}

// dense says that no entry is missing between those of a page that began at from.
func (a *Agent) dense(entries []store.Entry, from uint64) bool {
	if len(entries) == 0 {
		return true
	}
	first, last := entries[0].Seq, entries[len(entries)-1].Seq
	return last-first == uint64(len(entries)-1) &&
		(first == from || first == max(from, a.journal.Facts().First))
}

func (a *Agent) encodedLines(from uint64, limit int) ([]Encoded, error) {
	lines, err := a.Lines(from, limit)
	if err != nil {
		return nil, err
	}
	all := make([]Encoded, len(lines))
	for i, l := range lines {
		if all[i], err = l.Encode(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// lineRest is about what a line has beside the payload of its entry.
const lineRest = 256

// appendLine appends the JSON of an entry's Line: a frame around its payload as it is on file, but
// for what people have no use for. Where the payload is not as we write it, nothing is appended.
func appendLine(dst []byte, e store.Entry, card string) []byte {
	head, tail, ok := withoutOriginal(e.Payload)
	kind := payment.Kind(e.Kind).String()
	if !ok || !plainText(card) || !plainText(kind) {
		return dst
	}
	dst = strconv.AppendUint(append(dst, `{"seq":`...), e.Seq, 10)
	if e.Key != 0 {
		dst = strconv.AppendUint(append(dst, `,"id":`...), e.Key, 10)
	}
	dst = e.Wall.AppendFormat(append(dst, `,"time":"`...), time.RFC3339Nano)
	dst = strconv.AppendInt(append(dst, `","uptime_ns":`...), int64(e.Mono), 10)
	dst = hex.AppendEncode(append(dst, `,"boot":"`...), e.Boot[:4])
	dst = append(append(dst, `","kind":"`...), kind...)
	if card != "" {
		dst = append(append(dst, `","card":"`...), card...)
	}
	dst = hex.AppendEncode(append(dst, `","chain":"`...), e.Chain[:8])
	dst = append(dst, '"')
	for _, part := range [...][]byte{head, tail} {
		if len(part) > 0 {
			dst = append(append(dst, ','), part...)
		}
	}
	return append(dst, '}')
}

// plainText holds for what stands in JSON as it is.
func plainText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r)
	})
}

// withoutOriginal takes a payload apart: its members before and behind the message that the payment
// began with, without the braces. False: it is not what json.Marshal makes of a payload.
func withoutOriginal(text []byte) (head, tail []byte, ok bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, nil, false
	}
	members := text[1 : len(text)-1]
	head = members
	for at := 0; at < len(members); {
		begin := at
		name := skipValue(members[at:])
		if name < 2 || members[at] != '"' {
			return nil, nil, false
		}
		value := at + name + 1
		if value >= len(members) || members[value-1] != ':' {
			return nil, nil, false
		}
		length := skipValue(members[value:])
		if length == 0 {
			return nil, nil, false
		}
		at = value + length
		if at < len(members) {
			if members[at] != ',' || at+1 == len(members) {
				return nil, nil, false
			}
			at++
		}
		if string(members[begin:value]) == `"original":` {
			head, tail = members[:max(0, begin-1)], members[at:]
		}
	}
	return head, tail, true
}

// skipValue is how long the JSON value is that a text begins with: a string, an object or a list
// with all that is in it, a number or a word. 0: none without white space, that ends.
func skipValue(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c < ' ' || !quoted && c == ' ':
			return 0
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
				if depth == 0 {
					return i + 1
				}
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		if depth < 0 || depth == 0 && !quoted && (c == ',' || c == ':') {
			if depth < 0 {
				return 0
			}
			return i
		}
	}
	if depth > 0 || quoted {
		return 0
	}
	return len(text)
}
