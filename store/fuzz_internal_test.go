package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sampleEntry is encoded with a made-up chain.
func sampleEntry(seq uint64, payload, sealed string) []byte {
	e := Entry{
		Seq: seq, Key: 1, Kind: 9, Mark: MarkOpen, Wall: time.Unix(1700000000, 5).UTC(),
		Mono: time.Minute, Boot: [16]byte{1, 2}, Payload: []byte(payload), Sealed: []byte(sealed),
	}
	return finishEntry(appendEntry(nil, &e), 0, [16]byte{3, 4})
}

// FuzzEntry: no panic, and what decodes encodes to the same bytes. The checksum is put right, or
// the fuzzer would never get past it.
func FuzzEntry(f *testing.F) {
	f.Add([]byte{})
	f.Add(sampleEntry(1, "", ""))
	f.Add(sampleEntry(2, `{"asked":1}`, "nonce-and-box-and-tag-are-opaque"))
	f.Add(make([]byte, entryBytesMin))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n := len(raw) - crcBytes; n >= 0 {
			binary.BigEndian.PutUint32(raw[n:], crc32.Checksum(raw[:n], castagnoli))
		}
		e, err := decodeEntry(raw)
		if err != nil {
			return
		}
		again := finishEntry(appendEntry(nil, &e), 0, e.Chain)
		if !bytes.Equal(raw, again) {
			t.Errorf("encodes differently:\n%x\n%x", raw, again)
		}
	})
}

// FuzzSlot: no panic, nothing read outside the block, and what decodes encodes to the same bytes.
func FuzzSlot(f *testing.F) {
	s := slot{id: [16]byte{9}, counter: 77, acked: 12}
	s.add(sampleEntry(11, "one", ""))
	s.add(sampleEntry(12, "two", "sealed"))
	block := make([]byte, slotBytes)
	s.encode(block)
	f.Add(block[:200])
	f.Add([]byte{})
	f.Add([]byte(slotMagic))
	f.Fuzz(func(t *testing.T, head []byte) {
		block := make([]byte, slotBytes)
		copy(block, head)
		binary.BigEndian.PutUint32(block[44:], slotCRC(block))
		s, err := decodeSlot(block)
		if err != nil {
			return
		}
		n := 0
		s.each(func(raw []byte) { n += slotLengthBytes + len(raw) })
		if n != len(s.data) {
			t.Errorf("entries make up %d of %d bytes", n, len(s.data))
		}
		again := make([]byte, slotBytes)
		s.encode(again)
		if diff := cmp.Diff(block[:slotHeaderBytes+n], again[:slotHeaderBytes+n]); diff != "" &&
			bytes.Count(block[slotHeaderBytes+n:], []byte{0}) == len(block)-slotHeaderBytes-n {
			t.Errorf("encodes differently:\n%s", diff)
		}
	})
}

// An entry as FORMAT.md describes it, byte for byte: a change of format must show here.
func TestTheFormatIsAsWrittenDown(t *testing.T) {
	raw := sampleEntry(0x0102030405060708, "PAY", "SEAL")
	want := "01090200" + "0102030405060708" + "0000000000000001" + "0000000000000000" +
		"17979cfe362a0005" + "0000000df8475800" + "01020000000000000000000000000000" +
		"0003" + "0004" + "504159" + "5345414c" + "03040000000000000000000000000000"
	if got := hex.EncodeToString(raw[:len(raw)-4]); got != want {
		t.Errorf("entry is\n%s, want\n%s", got, want)
	}
	if len(raw) != entryBytesMin+3+4 {
		t.Errorf("length %d", len(raw))
	}
}

// FuzzKeyFile: whatever is in a key file, it is read or refused, and what was read is written again
// as it was.
func FuzzKeyFile(f *testing.F) {
	f.Add(make([]byte, keyBytes))
	f.Add(make([]byte, 2*keyBytes))
	f.Add(append([]byte{keySalt}, make([]byte, keyBytes)...))
	f.Add(append(append([]byte{keyItself}, make([]byte, keyBytes)...),
		append([]byte{keySalt}, make([]byte, keyBytes)...)...))
	f.Fuzz(func(t *testing.T, all []byte) {
		masters, ok := parseKeys(all)
		if !ok {
			return
		}
		again, ok := parseKeys(encodeKeys(masters...))
		if !ok || len(again) != len(masters) {
			t.Fatalf("%x: %d keys, then %d", all, len(masters), len(again))
		}
		for i, m := range masters {
			if !bytes.Equal(m.key, again[i].key) || !bytes.Equal(m.salt, again[i].salt) {
				t.Errorf("%x: key %d changed", all, i)
			}
		}
	})
}
