package iso_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reversald/iso"
)

func TestBuiltinProfilesLoad(t *testing.T) {
	codes87 := iso.LocalCodes{
		Unknown: "68", NotSent: "91", Busy: "96", Refused: "30", Owed: "91", Reversed: "06",
		Amount: "13", Card: "14", Expired: "54", Repeated: "94", Irreversible: "12",
	}
	codes93 := iso.LocalCodes{
		Unknown: "911", NotSent: "912", Busy: "909", Refused: "904", Owed: "912", Reversed: "100",
		Amount: "110", Card: "111", Expired: "101", Repeated: "913", Irreversible: "902",
	}
	want := []string{"as2805", "iso87-ascii", "iso87-bcd", "iso93", "unionpay"}
	if got := iso.BuiltinNames(); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("names %q", got)
	}
	for _, name := range want {
		p := builtin(t, name)
		if p.Name() != name || p.About() == "" || p.FrameMax() != 4096 || p.HostTimeout() != 30*time.Second {
			t.Errorf("%s: %q %q %d %v", name, p.Name(), p.About(), p.FrameMax(), p.HostTimeout())
		}
		codes := codes87
		if name == "iso93" {
			codes = codes93
		}
		if p.Codes() != codes {
			t.Errorf("%s: codes %+v", name, p.Codes())
		}
		if !p.HoldsSettlement() || p.Schedule().Quick != 3 || p.Schedule().RetryMax != 30*time.Minute {
			t.Errorf("%s: schedule %+v", name, p.Schedule())
		}
	}
	if _, err := iso.Builtin("iso99"); err == nil || !strings.Contains(err.Error(), "iso87-bcd") {
		t.Errorf("unknown name: %v", err)
	}
}

// Every fault is reported with its line and column; the files are written so that the faults can be
// read beside what causes them: a comment "# fault: text" stands on the line it is about.
func TestFaultsInProfiles(t *testing.T) {
	files, err := filepath.Glob("testdata/profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no profiles", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := map[int]string{}
			for i, line := range strings.Split(string(text), "\n") {
				if _, fault, ok := strings.Cut(line, "# fault: "); ok {
					want[i+1] = fault
				}
			}
			_, err = iso.Load(file)
			var pe *iso.ProfileError
			if len(want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.As(err, &pe) {
				t.Fatalf("error is %v", err)
			}
			got := map[int]string{}
			for _, f := range pe.Faults {
				if f.Line == 0 || f.Col == 0 {
					t.Errorf("fault without a place: %v", f)
				}
				if f.File == file { // and not in what it extends
					got[f.Line] += f.What + "\n"
				}
			}
			for line, what := range want {
				if !strings.Contains(got[line], what) {
					t.Errorf("line %d: got %q, want %q", line, got[line], what)
				}
				delete(got, line)
			}
			for line, what := range got {
				t.Errorf("line %d: unexpected %q", line, what)
			}
		})
	}
}

func TestExtends(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("base.yaml", "name: base\nextends: iso87-bcd\nframing: {inclusive: true}\n"+
		"reversal: {repeat_mti: ~, drop: [43]}\nfields: {127: ~, 44: {format: ans..99, name: text, length: ascii}}\n"+
		"timers: {host_timeout: 1500ms}\n")
	p, err := iso.Load(write("shop.yaml", "name: shop\nextends: base.yaml\ncodes: {approved: ['00']}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name() != "shop" || p.HostTimeout() != 1500*time.Millisecond || p.FieldName(127) != "" {
		t.Errorf("%q %v %q", p.Name(), p.HostTimeout(), p.FieldName(127))
	}
	if frame, _ := p.AppendFrame(nil, []byte("abc")); string(frame) != "\x00\x05abc" {
		t.Errorf("framing: %q", frame)
	}
	if p.Outcome("11") != iso.OutcomeDeclined || p.Outcome("68") != iso.OutcomeAmbiguous {
		t.Error("codes are not merged list by list")
	}
	o := original(t, p, compose(t, p, "0200", map[int]string{11: "1", 41: "T", 43: "SHOP", 44: "x"}))
	m := reversal(t, p, o, nil, iso.Attempt{N: 2, Reason: iso.ReasonTimeout})
	if m.MTI != "0400" || m.Fields[43] != "" {
		t.Errorf("repeat is a %s with field 43 %q", m.MTI, m.Fields[43])
	}
	for what, file := range map[string]string{
		"itself":          write("self.yaml", "name: self\nextends: self.yaml\n"),
		"nothing there":   write("gone.yaml", "name: gone\nextends: none.yaml\n"),
		"unknown builtin": write("unknown.yaml", "name: unknown\nextends: iso99\n"),
		"a list":          write("list.yaml", "name: list\nextends: [iso87-bcd]\n"),
		"a directory":     write("dir.yaml", "name: dir\nextends: "+dir+"/x.yaml\n"),
	} {
		if _, err := iso.Load(file); err == nil || !strings.Contains(err.Error(), ":2:10: ") {
			t.Errorf("extends %s: %v", what, err)
		}
	}
	nameless := write("nameless.yaml", "extends: iso87-bcd\n")
	if _, err := iso.Load(nameless); err == nil || !strings.Contains(err.Error(), "a name of its own") {
		t.Errorf("no name: %v", err)
	}
	if _, err := iso.Load(filepath.Join(dir, "absent.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	if _, err := iso.Load(dir); err == nil {
		t.Error("a directory was loaded")
	}
}
