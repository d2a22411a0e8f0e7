package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// walk is a profile of two packages' tests: each came by one block of a.go.
const walk = `mode: set
m/store/a.go:1.10,3.2 2 1
m/store/a.go:4.10,6.2 6 0
m/store/b.go:1.1,2.2 2 0
m/store/cmd/x/c.go:1.1,2.2 90 0
m/store/a.go:1.10,3.2 2 0
m/store/a.go:4.10,6.2 6 1
m/iso/d.go:9.1,9.9 1 1
`

func TestABlockCountsOnceWhoeverCameByIt(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "coverage.txt")
	if err := os.WriteFile(profile, []byte(walk), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{
			[]string{"-packages", "m/store,m/iso"},
			1,
			"coverage_store 80.0 % 95 short\ncoverage_iso 100.0 % 95 ok\n",
		},
		{
			[]string{"-packages", "m/store", "-goal", "80", "-gaps"},
			0,
			"coverage_store 80.0 % 80 ok\n  m/store/b.go:1-2 2\n",
		},
		{[]string{"-packages", "m/nowhere"}, 1, "coverage_nowhere 0.0 % 95 short\n"},
	} {
		var out, complaints strings.Builder
		if code := run(append(c.args, profile), &out, &complaints); code != c.code {
			t.Errorf("%q: exit code %d, want %d; %s", c.args, code, c.code, complaints.String())
		}
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.args, diff)
		}
	}
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	for _, text := range []string{"hello\n", "mode: set\na.go:1 2\n", "a.go:x.1,2.3 1 1\n", "a.go:1.1,2 z 1\n"} {
		if blocks, err := read(strings.NewReader(text)); err == nil {
			t.Errorf("%q gives %v", text, blocks)
		}
	}
	var out, complaints strings.Builder
	for _, args := range [][]string{{}, {"-packages", "m"}, {"-nonsense"}, {"-packages", "m", "nowhere"}} {
		if code := run(args, &out, &complaints); code != 2 || complaints.Len() == 0 {
			t.Errorf("%q: exit code %d, %q", args, code, complaints.String())
		}
	}
}
