package haltest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reversald/hal"
	"reversald/hal/haltest"
)

// signerBehind has a MAC key from the beginning, which the sign-on below brings again.
func signerBehind(t *testing.T) *hal.SoftKeys {
	t.Helper()
	s, err := hal.ParseSoftKeys([]byte(`{"keys": {
		"tmk": {"cipher": "des", "value": "0123456789abcdef"},
		"mak": {"cipher": "des", "value": "2222222222222222"}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var macRequest = hal.MACRequest{Algorithm: hal.MACUnionPayECB, Data: []byte("0200")}

// signOn is a MAC key of 22…22 under the master key above, and a PIN key of 11…11.
var signOn = hal.WorkingKeys{Blob: []byte("\x17\x66\x8D\xFC\x72\x92\x53\x2D\x82\xE1\x36\x65" +
	"\x2B\x86\xC0\x6A\x5E\xCB\x1E\x33\x00\x96\x2B\x60")}

func TestSignerFaults(t *testing.T) {
	ctx, behind := t.Context(), signerBehind(t)
	odd := errors.New("odd")
	s := haltest.NewSigner(behind,
		haltest.SignerFaults{}, haltest.SignerFaults{WrongMAC: true},
		haltest.SignerFaults{Away: true}, haltest.SignerFaults{Refuse: odd},
	)
	right, err := s.Sign(ctx, macRequest)
	if err != nil || behind.Verify(ctx, macRequest, right) != nil {
		t.Errorf("without a fault: %q, %v", right, err)
	}
	wrong, err := s.Sign(ctx, macRequest)
	if err != nil || len(wrong) != len(right) || bytes.Equal(wrong, right) {
		t.Errorf("wrong MAC: %q, %v", wrong, err)
	}
	if strings.Trim(string(wrong), "0123456789ABCDEF") != "" {
		t.Errorf("wrong MAC %q is no hex", wrong)
	}
	if _, err := s.Sign(ctx, macRequest); !errors.Is(err, hal.ErrSignerAway) {
		t.Errorf("away: %v", err)
	}
	if err := s.Verify(ctx, macRequest, right); !errors.Is(err, odd) {
		t.Errorf("refusal: %v", err)
	}
	if err := s.Verify(ctx, macRequest, right); err != nil {
		t.Errorf("after the script: %v", err)
	}
	s.Add(haltest.SignerFaults{WrongMAC: true})
	if err := s.Verify(ctx, macRequest, right); !errors.Is(err, hal.ErrMACWrong) {
		t.Errorf("right MAC, wrong signer: %v", err)
	}
	if got, want := s.Calls(), 6; got != want {
		t.Errorf("%d calls, want %d", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(ctx, macRequest); !errors.Is(err, hal.ErrSignerClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Another key than the host's, until the next sign-on.
func TestSignerChangesKeyInBetween(t *testing.T) {
	ctx, host := t.Context(), signerBehind(t)
	s := haltest.NewSigner(signerBehind(t), haltest.SignerFaults{}, haltest.SignerFaults{ChangeKey: true})
	agree := func() bool {
		mac, err := s.Sign(ctx, macRequest)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := host.Sign(ctx, macRequest)
		if err != nil {
			t.Fatal(err)
		}
		sent, received := host.Verify(ctx, macRequest, mac) == nil, s.Verify(ctx, macRequest, theirs) == nil
		return sent && received
	}
	mac, err := s.Sign(ctx, macRequest)
	if err != nil || host.Verify(ctx, macRequest, mac) != nil {
		t.Fatalf("in the beginning: %q, %v", mac, err)
	}
	for range 3 {
		if agree() {
			t.Error("the host still agrees after the key was changed")
		}
	}
	if _, err := s.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: make([]byte, 24)}); !errors.Is(err, hal.ErrSignerBlob) {
		t.Errorf("bad sign-on: %v", err)
	}
	if agree() {
		t.Error("a sign-on that failed brought the keys together")
	}
	if n, err := s.LoadWorkingKeys(ctx, signOn); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if !agree() {
		t.Error("after the sign-on the host does not agree")
	}
	if info, err := s.Info(ctx); info.Generation != 1 || err != nil {
		t.Errorf("Info = %+v, %v", info, err)
	}
}

// A slow signer takes its time, on the bubble's clock, and no longer than its caller.
func TestSignerIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := haltest.NewSigner(signerBehind(t),
			haltest.SignerFaults{Delay: time.Second},
			haltest.SignerFaults{Delay: time.Hour}, haltest.SignerFaults{Hang: true})
		began := time.Now()
		if _, err := s.Sign(t.Context(), macRequest); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v, want one second", err, time.Since(began))
		}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			began = time.Now()
			_, err := s.Sign(ctx, macRequest)
			if !errors.Is(err, hal.ErrSignerSlow) || time.Since(began) != time.Minute {
				t.Errorf("%v after %v, want ErrSignerSlow after a minute", err, time.Since(began))
			}
			cancel()
		}
	})
}
