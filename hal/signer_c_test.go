package hal_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"reversald/hal"
)

// The sample in C, which SIGNER.md points to, builds without a warning and gives the same answers
// as our own signer. It is also the one SM4 here that was not written in Go.
func TestSignerInC(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	program, path := filepath.Join(t.TempDir(), "signer"), socketPath(t)
	build := exec.CommandContext(t.Context(), cc, "-std=c99", "-Wall", "-Wextra", "-Werror",
		"-pedantic", "-o", program, "testdata/signer.c")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), program, path)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill() // it runs until then
		_ = run.Wait()
	})
	// The sample knows one key, which ours calls by the name of its slot.
	ctx, c, ours := t.Context(), external(t, path, patience), softKeys(t)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		info, err := c.Info(ctx)
		if err == nil {
			if info.Name != "sample in C" || info.Generation != 0 {
				t.Errorf("Info = %+v", info)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	request := func(n int) (theirs, own hal.MACRequest) {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(7*i + n)
		}
		theirs = hal.MACRequest{Algorithm: hal.MACUnionPaySM4, Data: data}
		own = theirs
		own.KeyName = "gm/mak"
		return theirs, own
	}
	r, _ := request(1)
	if _, err := c.Sign(ctx, r); !errors.Is(err, hal.ErrSignerNoKey) {
		t.Errorf("before the sign-on: %v, want ErrSignerNoKey", err)
	}
	blob := unhex(blobGM)
	blob[0] ^= 1
	if _, err := c.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: blob}); !errors.Is(err, hal.ErrSignerCheckValue) {
		t.Errorf("a damaged blob: %v, want ErrSignerCheckValue", err)
	}
	if n, err := c.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blobGM)}); n != 1 || err != nil {
		t.Fatalf("LoadWorkingKeys = %d, %v", n, err)
	}
	if _, err := ours.LoadWorkingKeys(ctx, hal.WorkingKeys{Slot: "gm", Blob: unhex(blobGM)}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 15, 16, 17, 300, hal.MACDataBytesMax} {
		r, own := request(n)
		got, err := c.Sign(ctx, r)
		want, wantErr := ours.Sign(ctx, own)
		if err != nil || wantErr != nil || string(got) != string(want) {
			t.Fatalf("%d bytes: %q, %v, want %q, %v", n, got, err, want, wantErr)
		}
		if err := c.Verify(ctx, r, got); err != nil {
			t.Errorf("Verify = %v", err)
		}
		got[7] ^= 1
		if err := c.Verify(ctx, r, got); !errors.Is(err, hal.ErrMACWrong) {
			t.Errorf("Verify of another = %v, want ErrMACWrong", err)
		}
	}
	inC, err := hal.ParseSoftKeys([]byte(
		`{"keys": {"kdk": {"cipher": "sm4", "value": "1032547698BADCFEEFCDAB8967452301"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []hal.DeriveRequest{
		{Length: 32, Data: []byte("0123456789ABCDEF0123456789ABCDEF")},
		{Length: 16, Data: []byte{0}},
		{Length: 17, Data: make([]byte, 14)}, // whole blocks
		{Length: 64, Data: make([]byte, hal.DeriveDataBytesMax)},
	} {
		got, err := c.DeriveKey(ctx, r)
		want, wantErr := inC.DeriveKey(ctx, r)
		if err != nil || wantErr != nil || string(got) != string(want) {
			t.Errorf("derive %d of %d bytes: %x, %v, want %x, %v", r.Length, len(r.Data),
				got, err, want, wantErr)
		}
	}
	if _, err := c.Sign(ctx, ecb("")); !errors.Is(err, hal.ErrSignerAlgorithm) {
		t.Errorf("DES: %v, want ErrSignerAlgorithm", err)
	}
}
