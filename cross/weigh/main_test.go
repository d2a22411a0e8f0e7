package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// build compiles a program of one line into dir/armv7/reversald with these flags
// of go build and returns its path and its size in bytes.
func build(t *testing.T, arch string, flags ...string) (path string, size int64) {
	t.Helper()
	return compile(t, "package main\n\nfunc main() {}\n", arch, flags...)
}

// compile is build for a program of more than one line.
func compile(t *testing.T, text, arch string, flags ...string) (path string, size int64) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "armv7", "reversald")
	args := append([]string{"build", "-buildvcs=false"}, flags...)
	cmd := exec.CommandContext(t.Context(), "go", append(args, "-o", path, source)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, info.Size()
}

func TestWeighComparesTheSizeWithTheLimit(t *testing.T) {
	path, size := build(t, "arm", "-ldflags=-s -w")
	cases := []struct {
		name  string
		limit int64
		word  string
		code  int
	}{
		{"exactly at the limit", size, "ok", 0},
		{"one byte over the limit", size - 1, "short", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out, complaints bytes.Buffer
			got := run([]string{"-max", strconv.FormatInt(c.limit, 10), path}, &out, &complaints)
			if got != c.code {
				t.Errorf("exit code: got %d, want %d", got, c.code)
			}
			want := fmt.Sprintf("size_armv7 %d bytes <=%d %s\n", size, c.limit, c.word)
			if out.String() != want {
				t.Errorf("printed: got %q, want %q", out.String(), want)
			}
			if complained := complaints.Len() > 0; complained != (c.code != 0) {
				t.Errorf("complained: %s", complaints.String())
			}
		})
	}
}

func TestAKnownMissHasACeilingAndAReason(t *testing.T) {
	path, size := build(t, "arm", "-ldflags=-s -w")
	cases := []struct {
		name         string
		limit        int64
		known        string
		code         int
		prints, says string
	}{
		{"below its ceiling", size - 1, fmt.Sprintf("armv7=%d wide code", size), 0, "wide code", ""},
		{"over its ceiling", size - 2, fmt.Sprintf("armv7=%d wide code", size-1), 1, " short", "less"},
		{"no miss any more", size, fmt.Sprintf("armv7=%d wide code", size), 1, " ok", "any more"},
		{"another's", size - 1, fmt.Sprintf("armv5=%d wide code", size), 1, " short", "1 bytes over"},
		{"no reason", size - 1, fmt.Sprintf("armv7=%d", size), 2, "", "NAME=BYTES REASON"},
		{"no number", size - 1, "armv7=big wide code", 2, "", "NAME=BYTES REASON"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out, complaints bytes.Buffer
			limit := strconv.FormatInt(c.limit, 10)
			got := run([]string{"-max", limit, "-known", c.known, path}, &out, &complaints)
			if got != c.code {
				t.Errorf("exit code: got %d, want %d", got, c.code)
			}
			if !strings.Contains(out.String(), c.prints) {
				t.Errorf("printed: got %q, want %q in it", out.String(), c.prints)
			}
			if !strings.Contains(complaints.String(), c.says) {
				t.Errorf("complained: got %q, want it to say %q", complaints.String(), c.says)
			}
		})
	}
}

func TestWeighRefusesWhatATerminalCannotRun(t *testing.T) {
	unstripped, _ := build(t, "arm")
	greedy, _ := compile(t, `package main

import (
	"os"
	"reflect"
)

func main() { reflect.ValueOf(os.Stdout).MethodByName(os.Args[1]).Call(nil) }
`, "arm", "-ldflags=-s -w")
	dynamic, _ := build(t, "amd64", "-ldflags=-s -w", "-buildmode=pie")
	text := filepath.Join(t.TempDir(), "reversald")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"symbols left in", []string{unstripped}, 1, "symbol table"},
		{"methods found by name", []string{greedy}, 1, "reflect.MethodByName"},
		{"a loader asked for", []string{dynamic}, 1, "dynamic loader"},
		{"not a binary", []string{text}, 1, "read as ELF"},
		{"not there", []string{text + ".none"}, 1, "no such file"},
		{"nothing to weigh", nil, 2, "no binary named"},
		{"a flag nobody knows", []string{"-heavy"}, 2, "-heavy"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out, complaints bytes.Buffer
			if got := run(c.args, &out, &complaints); got != c.code {
				t.Errorf("exit code: got %d, want %d", got, c.code)
			}
			if !strings.Contains(complaints.String(), c.says) {
				t.Errorf("complained: got %q, want it to say %q", complaints.String(), c.says)
			}
			if out.Len() > 0 {
				t.Errorf("printed a size: %s", out.String())
			}
		})
	}
}
