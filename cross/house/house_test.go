package house_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"reversald/cross/house"
)

// root is where this test finds the repository.
const root = "../.."

// files lists what git keeps or would keep; where there is no git, what a clean
// checkout holds.
func files(t *testing.T) []string {
	t.Helper()
	git := exec.CommandContext(t.Context(),
		"git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	listed, err := git.Output()
	if err != nil {
		t.Logf("git ls-files: %v; walking the directory instead", err)
		return walk(t)
	}
	var present []string
	for _, file := range strings.FieldsFunc(string(listed), func(r rune) bool { return r == 0 }) {
		// A file that was removed is listed until that is committed.
		if info, err := os.Stat(filepath.Join(root, file)); err == nil && info.Mode().IsRegular() {
			present = append(present, file)
		}
	}
	return present
}

func walk(t *testing.T) []string {
	t.Helper()
	var present []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == ".git" || path == "bin":
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.Type().IsRegular():
			present = append(present, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return present
}

func complain(t *testing.T, findings []string, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	for _, finding := range findings {
		t.Error(finding)
	}
}

func TestTheTopLevelHoldsTheRoomsAndNothingElse(t *testing.T) {
	complain(t, house.TopLevel(files(t)), nil)
}

func TestNoFileNamesAPathOfOneMachine(t *testing.T) {
	findings, err := house.MachinePaths(os.DirFS(root), files(t))
	complain(t, findings, err)
}

func TestEveryPackageHasOneComment(t *testing.T) {
	findings, err := house.PackageComments(os.DirFS(root), files(t))
	complain(t, findings, err)
}

func TestTheCodecStaysWhereItCompilesForARM(t *testing.T) {
	for _, name := range []string{"go.mod", "cross/legacy.mod"} {
		gomod, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range house.CodecPin(string(gomod)) {
			t.Errorf("%s: %s", name, finding)
		}
	}
}

// Without git, in an unpacked archive say, the walk stands in for it.
func TestTheWalkSeesWhatGitSees(t *testing.T) {
	if got, want := len(walk(t)), len(files(t)); got < want {
		t.Errorf("walk: got %d files, want at least the %d of git", got, want)
	}
}

func TestTopLevelFindings(t *testing.T) {
	all := []string{
		".ci/run", ".gitignore", "LICENSE", "Makefile", "README.md", "agent/agent.go",
		"cross/targets.mk", "go.mod", "go.sum", "hal/doc.go", "iso/doc.go", "store/doc.go",
	}
	cases := []struct {
		name  string
		files []string
		want  []string
	}{
		{"a whole house", all, nil},
		{
			"a room too many, named once",
			append([]string{"util/a.go", "util/b.go"}, all...),
			[]string{"util: has no place at the top level"},
		},
		{
			"a file too many",
			append([]string{"doc.go"}, all...),
			[]string{"doc.go: has no place at the top level"},
		},
		{"a room missing", all[:len(all)-1], []string{"store: is missing"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, house.TopLevel(c.files)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMachinePathsFindings(t *testing.T) {
	const slash = "/" // so that this file does not find itself
	cases := []struct {
		name string
		line string
		want string // the path found, empty when the line is fine
	}{
		{"a home", "cd " + slash + "home/li/reversald", slash + "home/li"},
		{"the home of root, quoted", `"` + slash + `root/go"`, slash + "root/go"},
		{"a scratch file at the start of a line", slash + "tmp/journal.db", slash + "tmp/journal.db"},
		{"a work tree in a flag", "-o=" + slash + "work/bin", slash + "work/bin"},
		{"the directory itself may be named", "not on tmpfs, which " + slash + "tmp may be", ""},
		{"inside a longer path", "mount " + slash + "var" + slash + "tmp/x", ""},
		{"behind a variable", "$HOME" + slash + "work/x and ${DIR}" + slash + "tmp/y", ""},
		{"in an address", "example.com" + slash + "home/index", ""},
		{"a place that every terminal has", slash + "var/lib/reversald/journal.db", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{"a.md": {Data: []byte("first\n" + c.line + "\n")}}
			var want []string
			if c.want != "" {
				want = []string{"a.md:2: " + c.want + " is a path of one machine"}
			}
			got, err := house.MachinePaths(tree, []string{"a.md"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPackageCommentsFindings(t *testing.T) {
	const said, bare = "// Package a is.\npackage a\n", "package a\n"
	cases := []struct {
		name string
		tree map[string]string
		want []string
	}{
		{"one in one of two files", map[string]string{"a/a.go": said, "a/b.go": bare}, nil},
		{"none", map[string]string{"a/a.go": bare}, []string{"a: package a has no comment"}},
		{
			"two",
			map[string]string{"a/a.go": said, "a/b.go": said},
			[]string{"a: package a has a comment in each of a.go, b.go"},
		},
		{
			"a build line is not one",
			map[string]string{"a/a.go": "//go:build linux\n\npackage a\n"},
			[]string{"a: package a has no comment"},
		},
		{"tests and their data need none", map[string]string{
			"a/a.go": said, "a/a_test.go": bare, "a/testdata/b.go": bare,
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			var names []string
			for _, name := range []string{"a/a.go", "a/b.go", "a/a_test.go", "a/testdata/b.go"} {
				if content, ok := c.tree[name]; ok {
					tree[name] = &fstest.MapFile{Data: []byte(content)}
					names = append(names, name)
				}
			}
			got, err := house.PackageComments(tree, names)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCodecPinFindings(t *testing.T) {
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name     string
		old, new string
		want     int // findings
	}{
		{"as it is", "", "", 0},
		{"raised", "iso8583 v0.23.2", "iso8583 v0.26.1", 1},
		{"the reason lost", "do not compile on", "are not wanted on", 1},
		{
			"both",
			"overflows int)\n\tgithub.com/moov-io/iso8583 v0.23.2",
			"is broken)\n\tgithub.com/moov-io/iso8583 v0.24.0", 2,
		},
		{"not required at all", "moov-io/iso8583", "moov-io/other", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed := bytes.Replace(gomod, []byte(c.old), []byte(c.new), 1)
			got := house.CodecPin(string(changed))
			if len(got) != c.want {
				t.Errorf("findings: got %d, want %d\n%s", len(got), c.want, strings.Join(got, "\n"))
			}
		})
	}
}
