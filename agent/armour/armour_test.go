package armour_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"reversald/agent/armour"
)

// Rule: what is written comes back as it was, out of a log with other things in it.
func TestOutOfALog(t *testing.T) {
	for _, size := range []int{0, 1, 47, 48, 49, 5000} {
		content := bytes.Repeat([]byte{0, 'x', 0xff, '\r', '\n'}, size)[:size]
		var text bytes.Buffer
		if err := armour.Write(&text, "evidence-21.json", content); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(text.String(), "\n") {
			if len(line) > 79 {
				t.Errorf("a line of %d characters", len(line))
			}
		}
		log := "reversald T1> send evidence 21 text\r\n" +
			strings.ReplaceAll(text.String(), "\n", "\r\n  ") + "reversald T1> \x1b[0m"
		name, got, err := armour.Read(strings.NewReader(log))
		if err != nil || name != "evidence-21.json" || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: %s, %d bytes, %v", size, name, len(got), err)
		}
	}
}

// Rule: no single changed character goes unseen.
func TestDamageIsSeen(t *testing.T) {
	content := []byte(strings.Repeat("evidence ", 30))
	var text bytes.Buffer
	armour.Write(&text, "f.json", content)
	whole := text.Bytes()
	for at := range whole {
		hurt := bytes.Clone(whole)
		hurt[at] ^= 1
		name, got, err := armour.Read(bytes.NewReader(hurt))
		if err == nil && (!bytes.Equal(got, content) || name != "f.json" && len(name) != 6) {
			t.Errorf("byte %d: %q, %q", at, name, got)
		}
	}
	if _, _, err := armour.Read(bytes.NewReader(whole[:len(whole)-40])); !errors.Is(err, armour.ErrDamaged) {
		t.Errorf("cut: %v", err)
	}
	if _, _, err := armour.Read(strings.NewReader("nothing here")); !errors.Is(err, armour.ErrNone) {
		t.Errorf("nothing: %v", err)
	}
}

// Rule: a name never leads out of the directory it is written to.
func TestNamesStayHere(t *testing.T) {
	for _, bad := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", "a b", strings.Repeat("x", 200)} {
		var text bytes.Buffer
		armour.Write(&text, bad, nil)
		if _, _, err := armour.Read(&text); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzRead(f *testing.F) {
	var text bytes.Buffer
	armour.Write(&text, "f", []byte("content"))
	f.Add(text.Bytes())
	f.Fuzz(func(t *testing.T, log []byte) {
		name, _, err := armour.Read(bytes.NewReader(log))
		if err == nil && !armour.PlainName(name) {
			t.Errorf("%q", name)
		}
	})
}
