package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reversald/hal"
)

const keys = `{"keys": {"mak": {"cipher": "aes", "value": "2b7e151628aed2a6abf7158809cf4f3c"}}}`

// It serves until it is told to stop, and takes its socket along.
func TestSoftsignerServes(t *testing.T) {
	dir, err := os.MkdirTemp("", "signer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file, socket := filepath.Join(dir, "keys"), filepath.Join(dir, "s")
	if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		code <- run(ctx, []string{"-keys", file, "-socket", socket}, writer, &stderr)
	}()
	told := make([]byte, 200)
	n, err := reader.Read(told) // and so it listens
	if want := "softsigner: 1 software keys, generation 0, listening at "; err != nil ||
		!strings.HasPrefix(string(told[:n]), want) {
		t.Fatalf("said %q, %v, want %q…", told[:n], err, want)
	}
	// RFC 4493, example 2.
	e := hal.NewExternalSigner(socket, 5*time.Second)
	mac, err := e.Sign(ctx, hal.MACRequest{
		Algorithm: hal.MACAESCMAC,
		Data:      []byte("\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a"),
	})
	want := "\x07\x0a\x16\xb4\x6b\x4d\x41\x44\xf7\x9b\xdd\x9d\xd0\x4a\x28\x7c"
	if err != nil || string(mac) != want {
		t.Errorf("Sign = %x, %v, want %x", mac, err, want)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	if got := <-code; got != exitOK || stderr.Len() > 0 {
		t.Errorf("exit code %d, %s", got, &stderr)
	}
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestSoftsignerRefuses(t *testing.T) {
	open := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(open, []byte(keys), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":         {nil, exitUsage, "want -keys FILE and -socket PATH"},
		"a flag too many": {[]string{"-x"}, exitUsage, "-x"},
		"help":            {[]string{"-h"}, exitOK, "-socket"},
		"no file":         {[]string{"-keys", open + "x", "-socket", "s"}, exitFailed, "no such file"},
		"an open file":    {[]string{"-keys", open, "-socket", "s"}, exitFailed, "want 0600"},
	} {
		var stderr bytes.Buffer
		if got := run(t.Context(), c.args, io.Discard, &stderr); got != c.code {
			t.Errorf("%s: exit code %d, want %d", name, got, c.code)
		}
		if !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%s: said %q, want %q", name, &stderr, c.says)
		}
	}
}
