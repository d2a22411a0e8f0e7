package iso_test

import (
	"errors"
	"strings"
	"testing"

	"reversald/iso"
)

// A file that is no profile is refused with a fault that says so; nothing panics.
func TestWhatIsNoProfileIsRefused(t *testing.T) {
	base := "name: odd\nextends: iso87-ascii\n"
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "not a profile"},
		{"a word", "hello", "not a profile"},
		{"a list", "- a\n- b\n", "not a profile"},
		{"too long", "# " + strings.Repeat("x", 1<<20), "longer than"},
		{"no YAML", "name: [\n", "not YAML"},
		{"a tab", "name: a\n\tb: c\n", "not YAML"},
		{"a key twice", base + "about: a\nabout: b\n", "given twice"},
		{"an anchor", "name: &a odd\nabout: *a\n", "anchors"},
		{"a key that is a list", base + "? [a, b]\n: c\n", "a key is a word"},
		{"a key that is nothing", base + "~: c\n", "a key is a word"},
		{"nested too deep", base + "about: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n", "too deep"},
		{"extends nothing known", "name: odd\nextends: iso99\n", "iso99"},
	} {
		p, err := iso.Parse([]byte(c.text), "odd.yaml")
		if err == nil || p != nil {
			t.Errorf("%s: taken", c.name)
			continue
		}
		var pe *iso.ProfileError
		if !errors.As(err, &pe) || len(pe.Faults) == 0 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// What would charge a card twice, leave a debit behind or keep what must not be kept is refused by
// name, in one line that is laid over a good profile.
func TestALineThatWouldDoHarmIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"framing: ascii4\nlimits: {frame_bytes_max: 20000}":       "can only announce 9999 bytes",
		"timers: {host_timeout: 0s}":                              "timers has no host_timeout",
		"codes: {approved: []}":                                   "codes.approved is empty",
		"answers: {done: []}":                                     "answers.done is empty",
		"answers: {done: [\"00\", \"68\"], retry: [], stuck: []}": "cannot mean that a reversal is done",
		"answers: {done: [\"25\"], stuck: [\"00\"]}":              "is an approval",
		"mac: {on: [reversal]}":                                   "mac has no algorithm",
		"mac: {algorithm: x9.19, on: []}":                         "mac.on lists no messages",
		"fields: {37: {format: an12, packed: bcd}}":               "cannot be packed like that",
		"fields: {52: {format: b8, packed: bcd}}":                 "cannot be packed like that",
		"reversible: []":                                          "no payment would ever be reversed",
		"messages: {payment: []}":                                 "messages lists no payment",
		"match: {payment: [41]}":                                  "has no trace number",
		"match: {payment: [41, 11, 35]}":                          "is card data",
		"match: {payment: [41, 11, 55]}":                          "cannot be part of a key",
		"reversal: {set: {35: x}}":                                "not one that set can give",
		"reversal: {set: {24: abcd}}":                             "characters",
		"reversal: {copy: [64]}":                                  "authentication code of another message",
		"reversal: {copy: [3, 4, 12]}":                            "its answer could not be known again",
		"reversal: {link: [de90, de90]}":                          "listed twice",
		"reversal: {chip_tags: [9F36, 9F36]}":                     "listed twice",
		"reversal: {chip_tags: [5A]}":                             "must not be kept",
		"reversal: {chip_tags: [E1]}":                             "holds other tags",
		"reversal: {mti: \"0200\"}":                               "is not a reversal in messages",
		"reversal: {repeat_mti: \"0200\"}":                        "is not a reversal in messages",
		"sign_on: {messages: [], done: [\"00\"]}":                 "sign_on has no messages",
		"sign_on: {messages: [], done: []}":                       "lists no code that accepts",
		"samples: {odd: {mti: \"0200\", wire: zz}}":               "wire is not hexadecimal",
		"samples: {odd: {mti: \"0200\", wire: \"30\"}}":           "sample \"odd\"",
		"local_answer: {echo: [3]}":                               "local_answer.echo lacks a match field",
		"local_answer: {unknown: \"00\"}":                         "the app would hand over the goods",
		"keep: [35]":                                              "must not get into the journal",
		"reasons: {timeout: \"123456\"}":                          "cannot stand in field 39",
		"name: a/b":                                               "without slashes",
	} {
		text := "extends: iso87-ascii\n" + line + "\n"
		if !strings.HasPrefix(line, "name: ") {
			text = "name: odd\n" + text
		}
		_, err := iso.Parse([]byte(text), "odd.yaml")
		var pe *iso.ProfileError
		if !errors.As(err, &pe) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

// A profile that extends nothing says which keys it lacks, and what its sections lack.
func TestWhatAProfileLacksIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"framing: {inclusive: true}\n":       "framing has no length",
		"framing: ascii4\nlimits: {}\n":      "limits has no frame_bytes_max",
		"timers: {retry_min: 1m}\n":          "timers has no host_timeout",
		"about: a profile with nothing in\n": "key \"match\" is missing",
	} {
		_, err := iso.Parse([]byte("name: odd\n"+text), "odd.yaml")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A length that cannot be right is said without a byte of the stream.
func TestAWrongLengthIsSaid(t *testing.T) {
	why := errors.New("the length is no number")
	for want, e := range map[string]*iso.FrameError{
		"frame: the length is no number":                     {Length: -1, Err: why},
		"frame: length is shorter than itself":               {Length: -1},
		"frame: length 5000 is over the limit of 4096 bytes": {Length: 5000, Max: 4096},
	} {
		if e.Error() != want || errors.Is(e, why) != (e.Err != nil) {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}

// What has no name says so, rather than nothing.
func TestWhatHasNoNameSaysSo(t *testing.T) {
	for got, want := range map[string]string{
		iso.Outcome(0).String(): "outcome unknown", iso.Verdict(0).String(): "verdict unknown",
		iso.Reason(0).String(): "reason unknown", iso.Reason(200).String(): "reason unknown",
		iso.OutcomeProvisional.String(): "provisional", iso.VerdictSignOn.String(): "sign_on",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if r, ok := iso.ParseReason("boredom"); ok {
		t.Errorf("boredom is %v", r)
	}
}
