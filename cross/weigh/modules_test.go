package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestCodeBelongsToTheModuleThatWroteIt(t *testing.T) {
	modules := []string{"reversald", "go.etcd.io/bbolt", "example.com/a", "example.com/a/deep"}
	cases := map[string]string{
		"main.main":                           "reversald",
		"reversald/store.(*Journal).write":    "reversald",
		"reversaldy/store.open":               standard,
		"go.etcd.io/bbolt.(*DB).mmap":         "go.etcd.io/bbolt",
		"go.etcd.io/bbolt/internal/common.x":  "go.etcd.io/bbolt",
		"example.com/a/deep.f":                "example.com/a/deep",
		"example.com/a/other.f":               "example.com/a",
		"runtime.mallocgc":                    standard,
		"vendor/golang.org/x/net/idna.f":      standard,
		"slices.Sort[go.shape.reversald/x.y]": standard,
	}
	for function, want := range cases {
		if got := owner(function, modules); got != want {
			t.Errorf("%s belongs to %s, want %s", function, got, want)
		}
	}
}

func TestTheMakeupOfABinaryAddsUp(t *testing.T) {
	path, size := build(t, "arm", "-ldflags=-s -w")
	parts, err := takeApart(path, size)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for row, bytes := range parts {
		if bytes <= 0 {
			t.Errorf("%s: %d bytes", row, bytes)
		}
		sum += bytes
	}
	if sum != size {
		t.Errorf("the parts are %d bytes together, want %d", sum, size)
	}
	if parts[standard] < size/10 {
		t.Errorf("the runtime is %d of %d bytes, want at least a tenth", parts[standard], size)
	}
	var out, complaints bytes.Buffer
	if code := run([]string{"-modules", path}, &out, &complaints); code != 0 {
		t.Fatalf("exit code: got %d, want 0: %s", code, complaints.String())
	}
	for _, row := range []string{"armv7", standard, noCode} {
		if !strings.Contains(out.String(), row) {
			t.Errorf("no %q in:\n%s", row, out.String())
		}
	}
}
