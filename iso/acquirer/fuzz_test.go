package acquirer_test

import (
	"testing"

	"reversald/iso"
	"reversald/iso/acquirer"
)

func builtins(tb testing.TB) []string {
	tb.Helper()
	names := iso.BuiltinNames()
	if len(names) == 0 {
		tb.Fatal("no profiles")
	}
	return names
}

// FuzzReceive: no bytes from a terminal make the bank panic, unbalance or close its books.
func FuzzReceive(f *testing.F) {
	var profiles []*iso.Profile
	for i, name := range builtins(f) {
		profile := profileNamed(f, name)
		profiles = append(profiles, profile)
		for _, mti := range []string{"0200", "0400", "0800", "1200", "1420"} {
			sale := saleFields()
			for n := range sale {
				if profile.FieldName(n) == "" {
					delete(sale, n)
				}
			}
			if body, err := profile.Compose(mti, sale); err == nil {
				f.Add(uint8(i), body, body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, one, two []byte) {
		ledger, err := acquirer.OpenLedger("")
		if err != nil {
			t.Fatal(err)
		}
		manners, err := acquirer.ParseManners(
			"p=0.2:wrong-stan+wrong-mti+wrong-tid; p=0.2:garbage; p=0.2:decline=51; p=0.2:code=96")
		if err != nil {
			t.Fatal(err)
		}
		bank := acquirer.NewBank(profiles[int(which)%len(profiles)], ledger, manners)
		for _, body := range [][]byte{one, two, one, two} {
			if _, err := bank.Receive(noon, body); err != nil {
				t.Fatal(err)
			}
		}
	})
}
