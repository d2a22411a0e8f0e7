package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"reversald/agent"
	"reversald/agent/doors/api/client"
	"reversald/iso"
)

// keyMax and referenceMax keep what an app calls a payment within its entry of the journal.
const (
	keyMax       = 64
	referenceMax = 64
)

// fieldNames are the names of fields of a message in a body.
var fieldNames = map[int]string{
	0: "mti", 2: "pan", 3: "processing_code", 4: "amount", 11: "stan", 14: "expiry",
	22: "entry_mode", 25: "condition_code", 35: "track2", 41: "terminal", 42: "merchant",
	49: "currency", 52: "pin_block", 55: "chip",
}

// fieldName is where in a body a field of the message comes from; "" is from nowhere in particular.
func fieldName(n int) string {
	if name := fieldNames[n]; name != "" && n != 0 {
		return name
	}
	if n < 2 {
		return ""
	}
	return "fields." + strconv.Itoa(n)
}

// checkKey says what is wrong with a payment's key.
func checkKey(key string) *Problem {
	if key == "" {
		return trouble(typeNoKey, 400, "send a header Idempotency-Key with a value that no other "+
			"payment has, and the same one when you ask again")
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || len(key) > keyMax {
			return badRequest("Idempotency-Key",
				fmt.Sprintf("a key has 1 to %d printable characters without blanks, quotes and "+
					"backslashes", keyMax))
		}
	}
	return nil
}

// orderOf makes of a body what the agent is asked for.
func orderOf(b *client.Sale, app, key string) (agent.Sale, *Problem) {
	s := agent.Sale{App: app, Key: key, Reference: b.Reference}
	if len(b.Reference) > referenceMax {
		return s, badRequest("reference", fmt.Sprintf("has at most %d bytes", referenceMax))
	}
	text, err := json.Marshal(b) // the same whatever order and blanks the client likes
	if err != nil {
		return s, badRequest("", "the body can not be read")
	}
	s.Digest = sha256.Sum256(text)
	if b.Frame != "" || b.FrameHex != "" {
		return whole(b, s)
	}
	if b.Amount <= 0 {
		return s, badRequest("amount", "an amount above 0 is needed, in the smallest unit")
	}
	for name, value := range map[string]string{"terminal": b.Terminal, "currency": b.Currency} {
		if value == "" {
			return s, badRequest(name, "is needed")
		}
	}
	if b.PAN == "" && b.Track2 == "" {
		return s, badRequest("pan", "a card is needed: pan or track2")
	}
	if b.STAN == "000000" {
		return s, badRequest("stan", "is none; leave it out, and one is chosen")
	}
	r := iso.Request{
		MTI: b.MTI, Processing: b.Processing, Amount: b.Amount, Currency: b.Currency,
		PAN: b.PAN, Expiry: b.Expiry, Track2: b.Track2, EntryMode: b.EntryMode,
		Condition: b.Condition, Chip: b.Chip, PINBlock: b.PINBlock, STAN: b.STAN,
		Terminal: b.Terminal, Merchant: b.Merchant,
	}
	switch b.Kind {
	case "", "sale":
	case "authorization":
		r.Kind = iso.RequestAuthorization
	default:
		return s, badRequest("kind", "is sale or authorization")
	}
	var problem *Problem
	r.Fields, problem = numbered(b)
	s.Request = r
	return s, problem
}

// whole takes a whole message.
func whole(b *client.Sale, s agent.Sale) (agent.Sale, *Problem) {
	only := client.Sale{Frame: b.Frame, FrameHex: b.FrameHex, Reference: b.Reference}
	alone, _ := json.Marshal(only)
	all, _ := json.Marshal(b)
	if string(alone) != string(all) || b.Frame != "" && b.FrameHex != "" {
		return s, badRequest("frame", "a whole message comes alone, or with a reference")
	}
	var err error
	name := "frame"
	if b.Frame != "" {
		s.Frame, err = base64.StdEncoding.DecodeString(b.Frame)
	} else {
		name = "frame_hex"
		s.Frame, err = hex.DecodeString(b.FrameHex)
	}
	if err != nil || len(s.Frame) == 0 {
		return s, badRequest(name, "can not be decoded")
	}
	return s, nil
}

// numbered are the fields that are given by their number. Those that have a name go by it.
func numbered(b *client.Sale) (map[int]string, *Problem) {
	fields := make(map[int]string, len(b.Fields))
	for text, value := range b.Fields {
		n, err := strconv.Atoi(text)
		if err != nil || n < 2 || n > 128 || strconv.Itoa(n) != text {
			return nil, badRequest("fields", "a field is a number from 2 to 128")
		}
		if name := fieldNames[n]; name != "" {
			return nil, badRequest(name, "this field goes by its name")
		}
		fields[n] = value
	}
	return fields, nil
}
