package iso_test

import (
	"testing"

	"reversald/iso"
)

// benchSale is the message of performance.md: a 0200 with 16 fields and chip data.
func benchSale() map[int]string {
	fields := chipSale()
	fields[7], fields[12], fields[13], fields[24] = "0102030405", "110405", "0102", "003"
	return fields
}

func benchmark(b *testing.B, run func(p *iso.Profile, body []byte) error) {
	b.Helper()
	for _, p := range bothBuiltins(b) {
		b.Run(p.Name(), func(b *testing.B) {
			body := compose(b, p, "0200", benchSale())
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for range b.N {
				if err := run(p, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGlance(b *testing.B) {
	benchmark(b, func(p *iso.Profile, body []byte) error { _, err := p.Glance(body); return err })
}

func BenchmarkPeek(b *testing.B) {
	room := make([]byte, 64)
	benchmark(b, func(p *iso.Profile, body []byte) error { _, err := p.Peek(body, room); return err })
}

func BenchmarkDecode(b *testing.B) {
	benchmark(b, func(p *iso.Profile, body []byte) error { _, err := p.Decode(body); return err })
}

func BenchmarkOriginal(b *testing.B) {
	benchmark(b, func(p *iso.Profile, body []byte) error { _, err := p.Original(body); return err })
}

func BenchmarkLocalAnswer(b *testing.B) {
	benchmark(b, func(p *iso.Profile, body []byte) error { _, err := p.LocalAnswer(body, "91"); return err })
}

func BenchmarkReversal(b *testing.B) {
	var o iso.Original
	var of *iso.Profile
	benchmark(b, func(p *iso.Profile, body []byte) error {
		if p != of {
			o, of = original(b, p, body), p
		}
		_, err := p.Reversal(o, nil, iso.Attempt{N: 1, Reason: iso.ReasonTimeout})
		return err
	})
}

func BenchmarkBuiltin(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		if _, err := iso.Builtin("iso87-bcd"); err != nil {
			b.Fatal(err)
		}
	}
}
