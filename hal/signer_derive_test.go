package hal_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"reversald/hal"
)

func deriving(t *testing.T) *hal.SoftKeys {
	t.Helper()
	s, err := hal.ParseSoftKeys([]byte(`{"keys": {
		"kdk":   {"cipher": "aes", "value": "2B7E151628AED2A6ABF7158809CF4F3C"},
		"b/kdk": {"cipher": "sm4", "value": "0123456789ABCDEFFEDCBA9876543210"},
		"c/kdk": {"cipher": "des", "value": "0123456789ABCDEF"},
		"mak":   {"cipher": "aes", "value": "2B7E151628AED2A6ABF7158809CF4F3C"}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Both values were computed by OpenSSL 3: openssl kdf … -kdfopt mode:COUNTER KBKDF.
func TestDerivedSecretsAreThoseOfOpenSSL(t *testing.T) {
	s, path := deriving(t), socketPath(t)
	defer serve(t, path, s)()
	c := external(t, path, patience)
	data := make([]byte, 32)
	for i := range data {
		data[i] = byte(i)
	}
	for name, want := range map[string]string{
		"":      "545fec0bb8c417433f69a8a9195f7865f46c79e023cda2d51b6efdd1aa473d30",
		"b/kdk": "63ba83d3f1879fcc4424a304f483a2828e72ba03ea5a369c7b3f923a1332f82b",
	} {
		for _, d := range []hal.KeyDeriver{s, c} {
			got, err := d.DeriveKey(t.Context(),
				hal.DeriveRequest{KeyName: name, Length: 32, Data: data})
			if err != nil || hex.EncodeToString(got) != want {
				t.Errorf("%T %q: %x, %v, want %s", d, name, got, err, want)
			}
		}
	}
}

// What is no question for a secret is refused by both ends in the same way, and a key does one
// thing only.
func TestDeriveRefuses(t *testing.T) {
	s, path := deriving(t), socketPath(t)
	defer serve(t, path, s)()
	c := external(t, path, patience)
	some := []byte("some")
	for text, q := range map[string]struct {
		r    hal.DeriveRequest
		want error
	}{
		"a MAC key":     {hal.DeriveRequest{KeyName: "mak", Length: 32, Data: some}, hal.ErrSignerAlgorithm},
		"no such key":   {hal.DeriveRequest{KeyName: "d/kdk", Length: 32, Data: some}, hal.ErrSignerNoKey},
		"a DES key":     {hal.DeriveRequest{KeyName: "c/kdk", Length: 32, Data: some}, hal.ErrSignerAlgorithm},
		"no name":       {hal.DeriveRequest{KeyName: "K DK", Length: 32, Data: some}, hal.ErrSignerRequest},
		"too short":     {hal.DeriveRequest{Length: 15, Data: some}, hal.ErrSignerRequest},
		"too long":      {hal.DeriveRequest{Length: 65, Data: some}, hal.ErrSignerRequest},
		"no data":       {hal.DeriveRequest{Length: 32}, hal.ErrSignerRequest},
		"too much data": {hal.DeriveRequest{Length: 32, Data: make([]byte, 257)}, hal.ErrSignerRequest},
	} {
		for _, d := range []hal.KeyDeriver{s, c} {
			if secret, err := d.DeriveKey(t.Context(), q.r); !errors.Is(err, q.want) || secret != nil {
				t.Errorf("%s, %T: %x, %v, want %v", text, d, secret, err, q.want)
			}
		}
	}
	sign := hal.MACRequest{Algorithm: hal.MACAESCMAC, KeyName: "kdk", Data: some}
	if _, err := c.Sign(t.Context(), sign); !errors.Is(err, hal.ErrSignerAlgorithm) {
		t.Errorf("the deriving key signs: %v", err)
	}
	if !hal.DerivesKeys("kdk") || !hal.DerivesKeys("b/kdk") || hal.DerivesKeys("kdkx") ||
		hal.DerivesKeys("") {
		t.Error("DerivesKeys")
	}
}

// onlyMACs is a module of before there was derive.
type onlyMACs struct{ hal.Signer }

// A module that cannot derive says so, one that gives a secret of another length is not believed,
// and one that is away is away.
func TestDeriveFromAModuleThatCannot(t *testing.T) {
	path := socketPath(t)
	stop := serve(t, path, onlyMACs{deriving(t)})
	r := hal.DeriveRequest{Length: 32, Data: []byte("some")}
	_, err := external(t, path, patience).DeriveKey(t.Context(), r)
	if !errors.Is(err, hal.ErrSignerRequest) || !strings.Contains(err.Error(), "derives no keys") {
		t.Errorf("cannot: %v", err)
	}
	stop()
	if _, err := external(t, path, signerLimit).DeriveKey(t.Context(), r); !errors.Is(err, hal.ErrSignerAway) {
		t.Errorf("away: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := deriving(t).DeriveKey(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
