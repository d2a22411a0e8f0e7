package iso_test

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/field"

	"reversald/iso"
)

// BenchmarkAgainstStock compares whole operations with the codec used plainly: its own BCD or ASCII
// encoders and prefixes, a specification of just the fields of the message, and no checks but its
// own. Both sides take turns in one run, because a busy machine slows them alike. The metrics are
// the nanoseconds of both and how many times faster we are:
//
//	go test ./iso -run '^$' -bench AgainstStock -benchtime 20000x
//
// Ours does more: decode checks every value and knows where a bad one stands; reversal picks the
// fields, maps the reason, builds field 90 and reads back what it wrote.
func BenchmarkAgainstStock(b *testing.B) {
	for _, name := range iso.BuiltinNames() {
		p := builtin(b, name)
		mti, sale := saleFor(p)
		body := compose(b, p, mti, sale)
		b.Run(name+"/decode", func(b *testing.B) {
			spec := iso.StockSpec(p, slices.Collect(maps.Keys(sale)))
			wire := stockPack(b, spec, mti, sale)
			takeTurns(b, func() error { _, err := p.Decode(body); return err },
				func() error { return stockDecode(spec, wire) })
		})
		b.Run(name+"/reversal", func(b *testing.B) {
			o := original(b, p, body)
			first := iso.Attempt{N: 1, Reason: iso.ReasonTimeout}
			if name == "iso93" {
				first.STAN = "000125" // a reversal has a number of its own there
			}
			m := reversal(b, p, o, nil, first)
			spec := iso.StockSpec(p, slices.Collect(maps.Keys(m.Fields)))
			takeTurns(b, func() error { _, err := p.Reversal(o, nil, first); return err },
				func() error { _, err := stockEncode(spec, m.MTI, m.Fields); return err })
		})
	}
}

// saleFor is benchSale as a profile has it.
func saleFor(p *iso.Profile) (mti string, fields map[int]string) {
	fields = benchSale()
	if p.Name() != "iso93" {
		return "0200", fields
	}
	fields[12], fields[22], fields[24], fields[25] = "260102110405", "510101511344", "200", "1500"
	delete(fields, 13)
	return "1200", fields
}

// takeTurns runs both b.N times, in turns of a millisecond or so, and reports the medians.
func takeTurns(b *testing.B, ours, stock func() error) {
	b.Helper()
	const turn = 50
	var took [2][]float64
	for done := 0; done < b.N; done += turn {
		for i, run := range []func() error{ours, stock} {
			began := time.Now()
			for range turn {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
			took[i] = append(took[i], float64(time.Since(began).Nanoseconds())/turn)
		}
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	mine, theirs := took[0][len(took[0])/2], took[1][len(took[1])/2]
	b.ReportMetric(0, "ns/op") // of both together, which means nothing
	b.ReportMetric(mine, "ns/ours")
	b.ReportMetric(theirs, "ns/stock")
	b.ReportMetric(theirs/mine, "x-faster")
}

// stockDecode is all the fields of a message as text.
func stockDecode(spec *moov.MessageSpec, wire []byte) error {
	msg := moov.NewMessage(spec)
	if err := msg.Unpack(wire); err != nil {
		return err
	}
	fields := make(map[int]string, len(spec.Fields))
	for n := range msg.GetFields() {
		if n < 2 {
			continue
		}
		text, err := msg.GetString(n)
		if err != nil {
			return err
		}
		fields[n] = text
	}
	return nil
}

// stockEncode builds and packs a message.
func stockEncode(spec *moov.MessageSpec, mti string, fields map[int]string) ([]byte, error) {
	msg := moov.NewMessage(spec)
	msg.MTI(mti)
	for n, v := range fields {
		raw := []byte(v)
		if _, ok := spec.Fields[n].(*field.Binary); ok {
			raw, _ = hex.DecodeString(v)
		}
		if err := msg.BinaryField(n, raw); err != nil {
			return nil, err
		}
	}
	return msg.Pack()
}

// stockPack is a message in the stock codec's own bytes. It cannot pack the separator of a track,
// so a digit stands there.
func stockPack(b *testing.B, spec *moov.MessageSpec, mti string, fields map[int]string) []byte {
	b.Helper()
	plain := maps.Clone(fields)
	plain[35] = strings.ReplaceAll(plain[35], "=", "0")
	wire, err := stockEncode(spec, mti, plain)
	if err != nil {
		b.Fatal(err)
	}
	return wire
}
