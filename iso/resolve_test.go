package iso_test

import (
	"strings"
	"testing"

	"reversald/iso"
)

// What is shown as in force is a profile, and the same one.
func TestResolvedProfileIsTheProfile(t *testing.T) {
	for _, name := range iso.BuiltinNames() {
		text, err := iso.ResolveBuiltin(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nextends:") {
			t.Errorf("%s still extends another", name)
		}
		p, err := iso.Parse(text, name)
		if err != nil {
			t.Fatal(err)
		}
		want := builtin(t, name)
		for _, mti := range []string{"0200", "1200", "0210"} {
			body := compose(t, want, mti, map[int]string{3: "000000", 4: "1234", 11: "123", 41: "TERM0001"})
			if everythingShown(p, body) != everythingShown(want, body) {
				t.Errorf("%s: another profile than before", name)
			}
		}
		again, err := iso.Parse(text, name)
		if err != nil || again.Name() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := iso.ResolveBuiltin("iso99"); err == nil {
		t.Error("a profile that is not there was resolved")
	}
	if _, err := iso.Resolve("testdata/absent.yaml"); err == nil {
		t.Error("a file that is not there was resolved")
	}
}
