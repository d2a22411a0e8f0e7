package badge_test

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"reversald/agent/badge"
)

func noPassphrase() (string, error) { return "", errors.New("was asked for a passphrase") }

// Rule: only a known key opens, only for the challenge of this moment and this terminal.
func TestOnlyAKnownKeyOpens(t *testing.T) {
	known, file, err := badge.NewSecret("li.wei", "")
	if err != nil {
		t.Fatal(err)
	}
	read, private, err := badge.OpenSecret(file, noPassphrase)
	if err != nil || read.String() != known.String() {
		t.Fatalf("OpenSecret = %v, %v", read, err)
	}
	_, otherFile, _ := badge.NewSecret("mallory", "")
	_, other, _ := badge.OpenSecret(otherFile, noPassphrase)
	c, _ := badge.NewChallenge("T0000001")
	shown, err := badge.ParseChallenge(strings.ToLower(c.String()[:3]) + c.String()[3:])
	if err != nil || shown != c {
		t.Fatalf("ParseChallenge = %v, %v", shown, err)
	}
	keys := []badge.Key{known}
	now := time.Now()
	answer := badge.Sign(c, private)
	for _, typed := range []string{
		answer, strings.ToLower(answer), strings.ReplaceAll(answer, "-", " "),
		strings.ReplaceAll(strings.ReplaceAll(answer, "0", "o"), "-", ""), " " + answer + "\r",
	} {
		if k, err := badge.Check(c, typed, keys, now); err != nil || k.Name != "li.wei" {
			t.Errorf("Check(%q) = %v, %v", typed, k.Name, err)
		}
	}
	again, _ := badge.NewChallenge("T0000001")
	elsewhere := c
	elsewhere.Terminal = "T0000002"
	for name, wrong := range map[string]struct {
		c      badge.Challenge
		answer string
		want   error
	}{
		"another key":       {c, badge.Sign(c, other), badge.ErrWrong},
		"another challenge": {again, answer, badge.ErrWrong},
		"another terminal":  {elsewhere, answer, badge.ErrWrong},
		"mistyped":          {c, answer[:10] + flip(answer[10]) + answer[11:], badge.ErrNotTyped},
		"cut":               {c, answer[:60], badge.ErrNotTyped},
	} {
		if _, err := badge.Check(wrong.c, wrong.answer, keys, now); !errors.Is(err, wrong.want) {
			t.Errorf("%s: %v, want %v", name, err, wrong.want)
		}
	}
	keys[0].Expires = now.Add(-time.Second)
	if _, err := badge.Check(c, answer, keys, now); !errors.Is(err, badge.ErrExpired) {
		t.Errorf("an expired key: %v", err)
	}
}

func flip(c byte) string {
	if c == '7' {
		return "8"
	}
	return "7"
}

// Rule: a sealed key opens with its passphrase and no other, and a damaged file says so.
func TestSealedKeys(t *testing.T) {
	k, file, err := badge.NewSecret("chen", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(file, "secret:") {
		t.Error("the secret lies open")
	}
	say := func(text string) func() (string, error) { return func() (string, error) { return text, nil } }
	if got, _, err := badge.OpenSecret(file, say("correct horse")); err != nil || got.String() != k.String() {
		t.Errorf("OpenSecret = %v, %v", got, err)
	}
	if _, _, err := badge.OpenSecret(file, say("wrong")); !errors.Is(err, badge.ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	for _, bad := range []string{
		"", "x", "public: " + k.String() + "\n", strings.Replace(file, "pbkdf2", "md5", 1),
		strings.Replace(file, "600000", "99999999999", 1),
	} {
		if _, _, err := badge.OpenSecret(bad, say("correct horse")); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
	if _, _, err := badge.NewSecret("no good", ""); err == nil {
		t.Error("a name with a blank was taken")
	}
}

func TestKeyLines(t *testing.T) {
	k, _, _ := badge.NewSecret("li", "")
	line := k.String() + " 2027-03-01"
	got, err := badge.ParseKey(line)
	if err != nil || got.String() != line {
		t.Errorf("ParseKey = %v, %v", got, err)
	}
	if want := time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC); !got.Expires.Equal(want) {
		t.Errorf("expires %v, want %v", got.Expires, want)
	}
	for _, bad := range []string{
		"", "reversald-tech", k.String() + " tomorrow", k.String() + " 2027-03-01 x",
		"reversald-tech AAAA li", "ssh-ed25519 AAAA li", strings.Replace(k.String(), " li", " l\x1bi", 1),
	} {
		if _, err := badge.ParseKey(bad); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}

// Rule: there is no PIN that might as well be none.
func TestPINs(t *testing.T) {
	for _, bad := range []string{"", "12345", "1234567890123", "12a456", "111111", "123456", "654321", "789012", "135791"} {
		if _, err := badge.NewPIN(bad); err == nil {
			t.Errorf("%q is a PIN", bad)
		}
	}
	p, err := badge.NewPIN("271828")
	if err != nil {
		t.Fatal(err)
	}
	read, err := badge.ParsePIN(p.String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Check("271828"); err != nil {
		t.Error(err)
	}
	if err := read.Check("271829"); !errors.Is(err, badge.ErrPIN) {
		t.Errorf("another PIN: %v", err)
	}
	for _, bad := range []string{"", "271828", "pbkdf2-sha256 1 AAAAAAAAAAA AAAA", strings.Replace(p.String(), "20000", "9999999999", 1)} {
		if _, err := badge.ParsePIN(bad); err == nil {
			t.Errorf("%q is a PIN file", bad)
		}
	}
}

func TestStretchIsPBKDF2(t *testing.T) {
	want, err := pbkdf2.Key(sha256.New, "password", []byte("salt"), 4096, 32)
	if err != nil || !bytes.Equal(badge.Stretch("password", []byte("salt"), 4096), want) {
		t.Errorf("differs from the standard library (%v)", err)
	}
}

// FuzzTyped: whatever is typed, nothing panics; and what is a challenge prints as itself.
func FuzzTyped(f *testing.F) {
	c, _ := badge.NewChallenge("T1")
	f.Add(c.String())
	f.Add("RA1.ABC-DEF")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := badge.ParseChallenge(text); err == nil {
			if again, err := badge.ParseChallenge(got.String()); err != nil || again != got {
				t.Errorf("%q: %v, %v", text, again, err)
			}
		}
		if _, err := badge.Check(c, text, nil, time.Time{}); err == nil {
			t.Errorf("%q opened a terminal without keys", text)
		}
		_, _ = badge.ParseKey(text)
		_, _ = badge.ParsePIN(text)
	})
}
