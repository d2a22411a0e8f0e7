package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestTheBillIsThatOfTheBinary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	if code := run([]string{"-version", "1.2.3", self}, &out, &complaints); code != 0 {
		t.Fatalf("exit code %d: %s", code, complaints.String())
	}
	var got bill
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	program := got.Metadata.Component
	if program.Version != "1.2.3" || program.Hashes[0].Content != hex.EncodeToString(sum[:]) {
		t.Errorf("the program: got %+v", program)
	}
	built, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(built.Deps) + 1; len(got.Components) != want { // 1: the standard library
		t.Errorf("%d components, want %d", len(got.Components), want)
	}
	if len(got.Dependencies) != 1 || len(got.Dependencies[0].DependsOn) != len(got.Components) {
		t.Errorf("dependencies: got %+v", got.Dependencies)
	}
	var again bytes.Buffer
	run([]string{"-version", "1.2.3", self}, &again, &complaints)
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same binary gave two bills")
	}
}

func TestNoBillOfWhatIsNoGoBinary(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for code, args := range map[int][]string{1: {text}, 2: nil} {
		var out, complaints bytes.Buffer
		if got := run(args, &out, &complaints); got != code {
			t.Errorf("%v: exit code %d, want %d", args, got, code)
		}
		if out.Len() > 0 || complaints.Len() == 0 {
			t.Errorf("%v: printed %q, complained %q", args, out.String(), complaints.String())
		}
	}
}
