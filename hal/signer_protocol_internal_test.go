package hal

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Whatever a module says: no panic, and what is taken for an answer has all that was asked for.
func FuzzSignerAnswer(f *testing.F) {
	ops := []string{opHello, opSign, opVerify, opLoad, opInfo}
	for _, seed := range []string{
		`{"id":1,"ok":true,"version":1,"name":"module"}`,
		`{"id":1,"ok":true,"mac":"0011223344556677"}`,
		`{"id":1,"ok":true,"match":false}`,
		`{"id":1,"ok":true,"generation":2}`,
		`{"id":1,"ok":true,"name":"m","generation":0,` +
			`"keys":[{"name":"mak","cipher":"des","bits":128,"check":"ABCDEF","working":true}]}`,
		`{"id":1,"ok":false,"error":"no_key","text":"sign on"}`,
		`{"id":1,"ok":false,"error":"tamper"}`,
		`{"id":1,"ok":null}`, `{"id":-1}`, `[]`, `null`, ``, "{\"id\":1,\"ok\":true,\"mac\":\"\xff\"}",
	} {
		for op := range ops {
			f.Add([]byte(seed), uint8(op))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, op uint8) {
		q := signerQuestion{ID: 1, Op: ops[int(op)%len(ops)], Length: 8}
		a, err := decodeSignerAnswer(line, q)
		switch {
		case err == nil && (a.ID != 1 || !a.OK):
			t.Fatalf("%q was taken for %+v", line, a)
		case err == nil && q.Op == opSign && len(a.MAC) != 8:
			t.Fatalf("%q: MAC of %d bytes", line, len(a.MAC))
		case err == nil && q.Op == opVerify && a.Match == nil,
			err == nil && (q.Op == opLoad || q.Op == opInfo) && a.Generation == nil:
			t.Fatalf("%q: no result", line)
		case err != nil && !errors.Is(err, ErrSignerProtocol) && !errors.Is(err, errSaidNo):
			t.Fatalf("%q: %v", line, err)
		case err != nil:
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q: %q is not plain", line, err)
			}
			return
		}
		// What we understood, we can say, and it is understood in the same way.
		again, err := encodeSignerLine(a)
		if errors.Is(err, ErrSignerRequest) {
			return // escapes can make it longer than a line
		} else if err != nil {
			t.Fatal(err)
		}
		b, err := decodeSignerAnswer(again, q)
		if err != nil {
			t.Fatalf("%q became %q: %v", line, again, err)
		}
		if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q became %q:\n%s", line, again, diff)
		}
	})
}

// Whatever a terminal says: no panic, one line for an answer, and no key ever leaves.
func FuzzSignerQuestion(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"op":"hello","version":1}`,
		`{"id":2,"op":"sign","alg":"aes-cmac","key":"mak","length":8,"data":"0200"}`,
		`{"id":3,"op":"verify","alg":"aes-cmac","key":"mak","data":"0200","mac":"00"}`,
		`{"id":4,"op":"load","slot":"b","blob":"` + strings.Repeat("00", 40) + `"}`,
		`{"id":5,"op":"info"}`,
		`{"id":6,"op":"sign","alg":"none"}`,
		`{"id":7,"op":"","data":null,"key":"tmk"}`, `{}`, `"x"`, ``,
	} {
		f.Add([]byte(seed))
	}
	const mak, tmk = "2b7e151628aed2a6abf7158809cf4f3c", "0123456789abcdeffedcba9876543210"
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := ParseSoftKeys([]byte(`{"keys":{"mak":{"cipher":"aes","value":"` + mak +
			`"},"b/tmk":{"cipher":"sm4","value":"` + tmk + `"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		q, err := decodeSignerQuestion(line)
		a := refuse(q.ID, ErrSignerRequest)
		if err == nil {
			a = answerSigner(t.Context(), q, s)
		}
		said, err := encodeSignerLine(a)
		if err != nil || bytes.Count(said, []byte("\n")) != 1 || a.OK != (a.Error == "") {
			t.Fatalf("%q is answered with %q, %v", line, said, err)
		}
		if low := bytes.ToLower(said); bytes.Contains(low, []byte(mak)) || bytes.Contains(low, []byte(tmk)) {
			t.Fatalf("%q brought a key out: %q", line, said)
		}
	})
}

// The longest request fits into a line.
func TestSignerLineHasRoom(t *testing.T) {
	name := strings.Repeat("k", keyNameBytesMax)
	line, err := encodeSignerLine(signerQuestion{
		ID: 1<<64 - 1, Op: opVerify, Alg: MACUnionPayECB.String(), Key: name, Length: 16,
		Slot: name, Data: make([]byte, MACDataBytesMax), MAC: make([]byte, 16), Blob: make([]byte, 60),
	})
	if err != nil || len(line) > signerLineBytesMax {
		t.Errorf("%d bytes, %v", len(line), err)
	}
}
