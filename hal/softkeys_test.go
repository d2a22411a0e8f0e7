package hal_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reversald/hal"
)

// keyFile has a double-length master key for DES, one for SM4, and a fixed AES key.
const keyFile = `{"keys": {
	"tmk":     {"cipher": "des", "value": "0123456789ABCDEFFEDCBA9876543210"},
	"gm/tmk":  {"cipher": "sm4", "value": "0123456789ABCDEFFEDCBA9876543210"},
	"old/tmk": {"cipher": "des", "value": "0123456789abcdef"},
	"aes/mak": {"cipher": "aes", "value": "2b7e151628aed2a6abf7158809cf4f3c"}
}}`

// Sign-ons under the master keys above: PIN key, MAC key and track key, each with its check value.
// In the clear they are
//
//	PIK 11…11 22…22   MAK 33…33 44…44   TDK 55…55 66…66   (blob60, blobGM)
//	PIK 11…11 22…22   MAK 22…22, zeros after it            (blob40)
//	PIK 11…11         MAK 22…22                            (blob24)
//
// made with "openssl enc -nopad -K" and -des-ede, -des-ecb or -sm4-ecb: the key under the master
// key, then zeros under the key.
const (
	blob24 = "17668DFC7292532D 82E13665" +
		"2B86C06A5ECB1E33 00962B60"
	blob40 = "9B3A7B883A100F73B4ABA2BB791C50E7 D2B91CC5" +
		"B4ABA2BB791C50E70000000000000000 00962B60"
	blob60 = "9B3A7B883A100F73B4ABA2BB791C50E7 D2B91CC5" +
		"5ADC39F46164960E17B9F1B1A1B2D33C E18DE25E" +
		"00396833D152DA8EE9225CA7B2F0EF16 DDB7368E"
	blobGM = "EC8A8C8CF622941D24CF48811B752005 1EA7D571" +
		"2F63BB8DBFA2492174D5348D1308ABF2 0A1657D1" +
		"DC4B670AAAA89ECAB5ADC3B31BA7FF1E 01B184A8"
)

// published is the data of the published UnionPay vector, whose key is the MAK of blob24 and
// blob40 and whose MAC is publishedMAC.
var published = unhex("1234567890ABCDEFABCDEF1234567890")

const publishedMAC = "E267B6E2"

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func softKeys(t *testing.T) *hal.SoftKeys {
	t.Helper()
	s, err := hal.ParseSoftKeys([]byte(keyFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func ecb(name string) hal.MACRequest {
	return hal.MACRequest{Algorithm: hal.MACUnionPayECB, KeyName: name, Data: published}
}

// Every layout loads, and the MAC key that came with it is the one that signs.
func TestSoftKeysLoadEveryLayout(t *testing.T) {
	for _, c := range []struct {
		name string
		keys hal.WorkingKeys
		use  hal.MACRequest
		want string // MAC; empty = only that there is one
	}{
		{"24 bytes", hal.WorkingKeys{Slot: "old", Blob: unhex(blob24)}, ecb("old/mak"), publishedMAC},
		{"40 bytes, single MAC key", hal.WorkingKeys{Blob: unhex(blob40)}, ecb(""), publishedMAC},
		{"60 bytes", hal.WorkingKeys{Blob: unhex(blob60)}, ecb("mak"), ""},
		{"60 bytes without a track key", hal.WorkingKeys{
			Blob: append(unhex(blob60)[:40], make([]byte, 20)...),
		}, ecb("mak"), ""},
		{"60 bytes of SM4", hal.WorkingKeys{Slot: "gm", Blob: unhex(blobGM)}, hal.MACRequest{
			Algorithm: hal.MACUnionPaySM4, KeyName: "gm/mak", Data: published,
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, s := t.Context(), softKeys(t)
			if _, err := s.Sign(ctx, c.use); !errors.Is(err, hal.ErrSignerNoKey) {
				t.Errorf("before the sign-on: %v, want ErrSignerNoKey", err)
			}
			if n, err := s.LoadWorkingKeys(ctx, c.keys); n != 1 || err != nil {
				t.Fatalf("LoadWorkingKeys = %d, %v, want generation 1", n, err)
			}
			mac, err := s.Sign(ctx, c.use)
			if err != nil || len(mac) != 8 || c.want != "" && string(mac) != c.want {
				t.Errorf("Sign = %q, %v, want %q", mac, err, c.want)
			}
			if err := s.Verify(ctx, c.use, mac); err != nil {
				t.Errorf("Verify = %v", err)
			}
		})
	}
}

// Any wrong bit in a blob refuses the whole of it, and the keys of before go on.
func TestSoftKeysRefuseADamagedBlob(t *testing.T) {
	ctx, s := t.Context(), softKeys(t)
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blob40)}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 * 8 {
		blob := unhex(blob60)
		blob[i/8] ^= 1 << (i % 8)
		_, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: blob})
		if !errors.Is(err, hal.ErrSignerCheckValue) {
			t.Fatalf("bit %d: %v, want ErrSignerCheckValue", i, err)
		}
	}
	for n := range 100 {
		blob := bytes.Repeat([]byte{0}, n)
		if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: blob}); !errors.Is(err, hal.ErrSignerBlob) {
			t.Fatalf("%d zeros: %v, want ErrSignerBlob", n, err)
		}
	}
	// A blob for another master key, and one whose master key we do not have.
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blobGM)}); !errors.Is(err, hal.ErrSignerCheckValue) {
		t.Errorf("other master key: %v, want ErrSignerCheckValue", err)
	}
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Slot: "none", Blob: unhex(blob40)}); !errors.Is(err, hal.ErrSignerNoKey) {
		t.Errorf("no master key: %v, want ErrSignerNoKey", err)
	}
	// SM4 has no single-length keys.
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Slot: "gm", Blob: unhex(blob24)}); !errors.Is(err, hal.ErrSignerBlob) {
		t.Errorf("24 bytes for SM4: %v, want ErrSignerBlob", err)
	}
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Slot: "BAD SLOT", Blob: unhex(blob24)}); !errors.Is(err, hal.ErrSignerRequest) {
		t.Errorf("bad slot: %v, want ErrSignerRequest", err)
	}
	after, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a refused sign-on changed the keys (-before +after):\n%s", diff)
	}
	if mac, err := s.Sign(ctx, ecb("")); string(mac) != publishedMAC || err != nil {
		t.Errorf("Sign = %q, %v, want %q", mac, err, publishedMAC)
	}
}

// A sign-on replaces the keys of the one before, all of them.
func TestSoftKeysForgetOldWorkingKeys(t *testing.T) {
	ctx, s := t.Context(), softKeys(t)
	for generation, blob := range []string{blob60, blob40} {
		n, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blob)})
		if n != uint64(generation+1) || err != nil {
			t.Fatalf("LoadWorkingKeys = %d, %v", n, err)
		}
	}
	got, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := hal.SignerInfo{Kind: "software", Generation: 2, Keys: []hal.KeyInfo{
		{Name: "aes/mak", Cipher: "aes", Bits: 128, Check: "7DF76B"},
		{Name: "gm/tmk", Cipher: "sm4", Bits: 128, Check: "2677F4"},
		{Name: "mak", Cipher: "des", Bits: 64, Check: "00962B", Working: true},
		{Name: "old/tmk", Cipher: "des", Bits: 64, Check: "D5D44F"},
		{Name: "pik", Cipher: "des", Bits: 128, Check: "D2B91C", Working: true},
		{Name: "tmk", Cipher: "des", Bits: 128, Check: "08D7B4"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Info (-want +got):\n%s", diff)
	}
}

// What no signer can do is refused before any key is looked at, by each in the same way.
func TestSignersRefuseNonsense(t *testing.T) {
	soft := softKeys(t)
	for _, s := range []hal.Signer{soft, hal.None{}} {
		for name, r := range map[string]hal.MACRequest{
			"zero value":     {},
			"no such":        {Algorithm: hal.MACAESCMAC + 1, Data: published},
			"no data":        {Algorithm: hal.MACX99},
			"too much data":  {Algorithm: hal.MACX99, Data: make([]byte, hal.MACDataBytesMax+1)},
			"short MAC":      {Algorithm: hal.MACX99, Length: 3, Data: published},
			"negative MAC":   {Algorithm: hal.MACX99, Length: -8, Data: published},
			"long MAC":       {Algorithm: hal.MACX99, Length: 9, Data: published},
			"key name":       {Algorithm: hal.MACX99, KeyName: "MAK", Data: published},
			"key name quote": {Algorithm: hal.MACX99, KeyName: `a"b`, Data: published},
			"long key name":  {Algorithm: hal.MACX99, KeyName: strings.Repeat("k", 33), Data: published},
		} {
			if _, err := s.Sign(t.Context(), r); !errors.Is(err, hal.ErrSignerRequest) {
				t.Errorf("%T %s: Sign = %v, want ErrSignerRequest", s, name, err)
			}
			if err := s.Verify(t.Context(), r, nil); !errors.Is(err, hal.ErrSignerRequest) {
				t.Errorf("%T %s: Verify = %v, want ErrSignerRequest", s, name, err)
			}
		}
		// No MAC is no question at all.
		r := hal.MACRequest{Algorithm: hal.MACNone}
		if mac, err := s.Sign(t.Context(), r); len(mac) != 0 || err != nil {
			t.Errorf("%T: Sign without a MAC = %x, %v", s, mac, err)
		}
		if err := s.Verify(t.Context(), r, []byte("whatever")); err != nil {
			t.Errorf("%T: Verify without a MAC = %v", s, err)
		}
	}
}

// A key that encrypts other things never makes a MAC, or the MAC would tell about it.
func TestSoftKeysUseMACKeysOnly(t *testing.T) {
	ctx, s := t.Context(), softKeys(t)
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blob60)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tmk", "pik", "tdk", "old/tmk"} {
		if _, err := s.Sign(ctx, ecb(name)); !errors.Is(err, hal.ErrSignerAlgorithm) {
			t.Errorf("%s: %v, want ErrSignerAlgorithm", name, err)
		}
	}
	if _, err := s.Sign(ctx, ecb("aes/mak")); !errors.Is(err, hal.ErrSignerAlgorithm) {
		t.Errorf("AES key for DES: %v, want ErrSignerAlgorithm", err)
	}
}

func TestSoftKeysVerify(t *testing.T) {
	ctx, s := t.Context(), softKeys(t)
	r := hal.MACRequest{Algorithm: hal.MACAESCMAC, KeyName: "aes/mak", Length: 8, Data: published}
	mac, err := s.Sign(ctx, r)
	if err != nil || len(mac) != 8 {
		t.Fatalf("Sign = %x, %v, want 8 bytes", mac, err)
	}
	if err := s.Verify(ctx, r, mac); err != nil {
		t.Error(err)
	}
	for i := range 64 {
		wrong := bytes.Clone(mac)
		wrong[i/8] ^= 1 << (i % 8)
		if err := s.Verify(ctx, r, wrong); !errors.Is(err, hal.ErrMACWrong) {
			t.Fatalf("bit %d: %v, want ErrMACWrong", i, err)
		}
	}
	for _, wrong := range [][]byte{nil, mac[:7], append(bytes.Clone(mac), 0)} {
		if err := s.Verify(ctx, r, wrong); !errors.Is(err, hal.ErrMACWrong) {
			t.Errorf("%d bytes: %v, want ErrMACWrong", len(wrong), err)
		}
	}
	r.KeyName = "away/mak"
	if err := s.Verify(ctx, r, mac); errors.Is(err, hal.ErrMACWrong) || !errors.Is(err, hal.ErrSignerNoKey) {
		t.Errorf("no key: %v, want ErrSignerNoKey and not ErrMACWrong", err)
	}
}

// No verb, logger or encoder gets a key out, neither from the signer nor from what it says.
func TestSoftKeysNeverPrint(t *testing.T) {
	ctx, s := t.Context(), softKeys(t)
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blob60)}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	around := struct {
		Signer hal.Signer
		keys   *hal.SoftKeys
	}{s, s}
	for _, verb := range []string{"v", "+v", "#v", "s", "q", "x", "X", "d", "o", "b", "c", "U", "t", "e"} {
		fmt.Fprintf(&out, "%"+verb+" %"+verb+"\n", s, around)
	}
	for _, log := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(log).InfoContext(ctx, "signer", slog.Any("keys", s), slog.Any("around", around))
	}
	if err := json.NewEncoder(&out).Encode(around); err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%#v\n", info)
	for _, secret := range []string{
		"0123456789abcdef", "1, 35, 69, 103", "1 35 69 103", "0x1, 0x23", "[1 23 45",
		"2b7e1516", "43 126 21 22", "33333333", "51 51 51", "44444444", "68 68 68",
	} {
		if at := strings.Index(strings.ToLower(out.String()), secret); at >= 0 {
			t.Errorf("%q came out: %.200s", secret, out.String()[at:])
		}
	}
	if got, want := fmt.Sprint(s), "7 software keys, generation 1"; got != want {
		t.Errorf("prints as %q, want %q", got, want)
	}
}

func TestSoftKeysAfterClose(t *testing.T) {
	s := softKeys(t)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r := hal.MACRequest{Algorithm: hal.MACAESCMAC, KeyName: "aes/mak", Data: published}
	_, signed := s.Sign(t.Context(), r)
	_, loaded := s.LoadWorkingKeys(t.Context(), hal.WorkingKeys{Blob: unhex(blob40)})
	_, told := s.Info(t.Context())
	for _, err := range []error{signed, s.Verify(t.Context(), r, make([]byte, 16)), loaded, told} {
		if !errors.Is(err, hal.ErrSignerClosed) {
			t.Errorf("%v, want ErrSignerClosed", err)
		}
	}
}

// Signing goes on while keys change, and each MAC is that of one key or of the other.
func TestSoftKeysUnderWay(t *testing.T) {
	noLeaks(t)
	ctx, s := t.Context(), softKeys(t)
	load := func(blob string) {
		if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blob)}); err != nil {
			t.Error(err)
		}
	}
	load(blob60)
	double, err := s.Sign(ctx, ecb(""))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 200 {
				mac, err := s.Sign(ctx, ecb(""))
				if err != nil || string(mac) != publishedMAC && !bytes.Equal(mac, double) {
					t.Errorf("Sign = %q, %v", mac, err)
					return
				}
			}
		}()
	}
	for range 50 {
		load(blob40)
		load(blob60)
	}
	all.Wait()
}

func TestNone(t *testing.T) {
	ctx, s := context.Background(), hal.None{}
	if _, err := s.Sign(ctx, ecb("")); !errors.Is(err, hal.ErrSignerAlgorithm) {
		t.Errorf("Sign = %v, want ErrSignerAlgorithm", err)
	}
	if err := s.Verify(ctx, ecb(""), nil); !errors.Is(err, hal.ErrSignerAlgorithm) {
		t.Errorf("Verify = %v, want ErrSignerAlgorithm", err)
	}
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{}); !errors.Is(err, hal.ErrSignerNoKey) {
		t.Errorf("LoadWorkingKeys = %v, want ErrSignerNoKey", err)
	}
	if info, err := s.Info(ctx); info.Kind != "none" || err != nil {
		t.Errorf("Info = %+v, %v", info, err)
	}
}

func TestMACAlgorithmText(t *testing.T) {
	for a := hal.MACNone; a <= hal.MACAESCMAC; a++ {
		if got, err := hal.ParseMACAlgorithm(a.String()); got != a || err != nil {
			t.Errorf("%v came back as %v, %v", a, got, err)
		}
	}
	for _, text := range []string{"", "X9.9", "des"} {
		if a, err := hal.ParseMACAlgorithm(text); a != 0 || err == nil {
			t.Errorf("%q is %v, %v", text, a, err)
		}
	}
	if got, want := hal.MACAlgorithm(0).String(), "MACAlgorithm(0)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
