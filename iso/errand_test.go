package iso_test

import (
	"strings"
	"testing"

	"reversald/iso"
)

// An app's own sign-on and echo are known by type and by what stands outside of braces.
func TestAppAnswer(t *testing.T) {
	const signOn, echo = `
extends: unionpay
name: mine
sign_on:
  when: [link_up]
  messages:
    - mti: "0800"
      fields: {11: "{stan}", 41: "{terminal}", 42: "{merchant}", 60: "00{batch}003", 63: "01 "}
  done: ["00"]
  app: "00"
`, `
echo:
  idle: 120s
  mti: "0820"
  fields: {11: "{stan}", 41: "{terminal}", 42: "{merchant}", 60: "00{batch}301"}
  app: "00"
`
	both := profileOf(t, signOn+echo)
	one := profileOf(t, signOn)
	for name, c := range map[string]struct {
		mti       string
		f60, f63  string
		both, one string
	}{
		"sign-on":           {"0800", "00000001003", "01 ", "00", "00"},
		"another batch":     {"0800", "00123456003", "01 ", "00", "00"},
		"key download":      {"0800", "00000001004", "01 ", "", ""},
		"another user":      {"0800", "00000001003", "02 ", "", ""},
		"echo":              {"0820", "00000001301", "", "00", ""},
		"sign-off":          {"0820", "00000001002", "", "", ""},
		"echo's type alone": {"0820", "", "", "", ""},
	} {
		fields := map[int]string{11: "000001", 41: "TERM0001", 42: "MERCHANT0000001"}
		if c.f60 != "" {
			fields[60] = c.f60
		}
		if c.f63 != "" {
			fields[63] = c.f63
		}
		body, err := both.Compose(c.mti, fields)
		if err != nil {
			t.Fatal(name, err)
		}
		if got := both.AppAnswer(body); got != c.both {
			t.Errorf("%s: %q, want %q", name, got, c.both)
		}
		if got := one.AppAnswer(body); got != c.one {
			t.Errorf("%s, echo passes: %q, want %q", name, got, c.one)
		}
		if got := builtin(t, "unionpay").AppAnswer(body); got != "" {
			t.Errorf("%s: %q, and the profile lets it pass", name, got)
		}
	}
	if both.AppAnswer([]byte("rubbish")) != "" {
		t.Error("rubbish is answered")
	}
}

// An approval of a sign-on that can not stand in the field is found when the profile is loaded.
func TestAppAnswerThatDoesNotFit(t *testing.T) {
	_, err := iso.Parse([]byte("extends: unionpay\nname: mine\necho:\n  idle: 120s\n"+
		"  mti: \"0820\"\n  fields: {11: \"{stan}\"}\n  app: \"0000\"\n"), "mine.yaml")
	if err == nil || !strings.Contains(err.Error(), `code "0000" cannot stand in field 39`) {
		t.Errorf("%v", err)
	}
}

func profileOf(t *testing.T, text string) *iso.Profile {
	t.Helper()
	p, err := iso.Parse([]byte(text), "mine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}
