package agent

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"reversald/agent/payment"
	"reversald/iso"
	"reversald/store"
)

// Rule: what is forwarded of an entry is what its line is in JSON, byte for byte; where the payload
// is none of ours nothing is.
func FuzzAppendLine(f *testing.F) {
	for _, p := range []payload{
		{},
		{Why: "no `answer` in \"time\" <&> 冲正 \u2028", Clock: "untrusted"},
		{Original: &iso.Original{MTI: "0200", Fields: map[int]string{3: `00"}`, 4: "{[", 60: `\`}}},
		{Terminal: "T", Original: &iso.Original{MTI: "0200"}},
		{Original: &iso.Original{MTI: "0200"}, Idem: "k", Reference: `","original":{}`},
		{Kept: &iso.Kept{Code: "00", RRN: "000000000042", Fields: map[int]string{38: "A1"}}},
		{Attempt: 3, Code: "58", Approves: true, Amount: -1, Missed: 1 << 30},
	} {
		text, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint64(7), uint64(3), int64(1700000000123456789), "411111******1111")
	}
	for _, text := range []string{
		"", "{", "{}", "[]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 }`, `{"a":"`, `{"a":}}`,
		`{"a":[{"b":"}"}],"original":null,"c":1}`, `{"original":{}`, `{1:2}`, `{"a":"\`, "{\"a\":\"\n\"}",
	} {
		f.Add([]byte(text), uint64(1), uint64(0), int64(0), "")
	}
	f.Fuzz(func(t *testing.T, text []byte, seq, key uint64, wall int64, card string) {
		e := store.Entry{
			Seq: seq, Key: key, Kind: uint8(payment.RecordAsked), Payload: text,
			Mono: time.Duration(wall), Boot: [16]byte{1, 0xab}, Chain: [16]byte{2, 0xcd},
		}
		if wall != 0 {
			e.Wall = time.Unix(0, wall).UTC()
		}
		got := string(appendLine(nil, e, card))
		var p payload
		if json.Unmarshal(text, &p) != nil {
			return // it is not checked twice: the entry's checksum has been
		}
		again, err := json.Marshal(p)
		if err != nil || !slices.Equal(again, text) {
			return // not written by us
		}
		l, err := line(e, card)
		if err != nil {
			t.Fatal(err)
		}
		want, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got == "" && !plainText(card) {
			return
		}
		if got != string(want.JSON) {
			t.Errorf("payload %s\n got %s\nwant %s", text, got, want.JSON)
		}
	})
}

// Rule: a payload that does not end, or has room between its members, is left to the decoder.
func TestWithoutOriginalLeavesWhatIsNotOurs(t *testing.T) {
	for _, text := range []string{
		"", "{", "[]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a": 1}`, `{"a":"}`, `{"a":}}`, `{1:2}`,
		`{"a":"\"}`, "{\"a\":\"\n\"}", `{"a":[}`, `{"a":1]}`, `{"a":1,,"b":2}`, `{"a"x1}`,
	} {
		if head, tail, ok := withoutOriginal([]byte(text)); ok {
			t.Errorf("%s: taken apart as %q and %q", text, head, tail)
		}
	}
	head, tail, ok := withoutOriginal([]byte(`{"a":{"original":1},"original":{"b":"}]"},"c":[1,2]}`))
	if got := string(head) + "|" + string(tail); !ok || got != `"a":{"original":1}|"c":[1,2]` {
		t.Errorf("got %s, %t", got, ok)
	}
}
