package hal

import (
	"bytes"
	"errors"
	"testing"
)

// The parts of a blob are the blob, and whatever is in it, a key that is let in agrees with its
// check value and a refused blob leaves nothing behind.
func FuzzWorkingKeys(f *testing.F) {
	master := unhex(f, "0123456789ABCDEFFEDCBA9876543210")
	for _, seed := range []string{
		"17668DFC7292532D 82E13665 2B86C06A5ECB1E33 00962B60",
		"9B3A7B883A100F73B4ABA2BB791C50E7 D2B91CC5 B4ABA2BB791C50E70000000000000000 00962B60",
		"9B3A7B883A100F73B4ABA2BB791C50E7 D2B91CC5 5ADC39F46164960E17B9F1B1A1B2D33C E18DE25E" +
			"00396833D152DA8EE9225CA7B2F0EF16 DDB7368E",
		"EC8A8C8CF622941D24CF48811B752005 1EA7D571 2F63BB8DBFA2492174D5348D1308ABF2 0A1657D1" +
			"DC4B670AAAA89ECAB5ADC3B31BA7FF1E 01B184A8",
	} {
		f.Add(unhex(f, seed), uint8(cipherDES))
		f.Add(unhex(f, seed), uint8(cipherSM4))
	}
	f.Add(make([]byte, 60), uint8(cipherAES))
	f.Fuzz(func(t *testing.T, blob []byte, kind uint8) {
		if parts, err := splitWorkingKeys(blob); err == nil {
			var joined []byte
			for _, part := range parts {
				joined = append(append(joined, part.encrypted...), part.check...)
			}
			if !bytes.Equal(joined, blob) {
				t.Fatalf("the parts of %x are %x", blob, joined)
			}
		}
		c := keyCipher(kind)
		before := bytes.Clone(blob)
		keys, err := unwrapAll(c, master, blob)
		if !bytes.Equal(blob, before) {
			t.Fatalf("%x became %x", before, blob)
		}
		if err != nil {
			known := errors.Is(err, ErrSignerBlob) || errors.Is(err, ErrSignerCheckValue) ||
				errors.Is(err, ErrSignerAlgorithm)
			if keys != nil || !known {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			return
		}
		for name, key := range keys {
			check, err := c.checkValue(key)
			if err != nil || !bytes.Contains(blob, check) {
				t.Fatalf("%s has check value %x, %v, which is not in %x", name, check, err, blob)
			}
		}
	})
}
