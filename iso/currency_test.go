package iso_test

import (
	"testing"

	"reversald/iso"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency string
		want     string
	}{
		{1234, "156", "12.34 CNY"},
		{5, "840", "0.05 USD"},
		{1234, "392", "1234 JPY"},
		{1234, "414", "1.234 KWD"},
		{1234, "999", "12.34 999"},
		{1234, "", "12.34"},
		{0, "156", ""},
		{-1, "156", ""},
		{1<<63 - 1, "156", "92233720368547758.07 CNY"},
	} {
		if got := iso.Money(c.minor, c.currency); got != c.want {
			t.Errorf("%d %s: %q, want %q", c.minor, c.currency, got, c.want)
		}
	}
}
