package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is where this test finds the repository.
const root = "../.."

// The table does not rot: every mutant still applies, in one place, and its test is there.
func TestEveryMutantAppliesAndHasItsTest(t *testing.T) {
	names := map[string]bool{}
	tests := map[string]map[string]bool{}
	for _, m := range all() {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		spoiled, err := m.spoil(text)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if strings.HasSuffix(m.file, ".go") {
			if _, err := parser.ParseFile(token.NewFileSet(), m.file, spoiled, 0); err != nil {
				t.Errorf("%s: is no Go any more: %v", m.name, err)
			}
		}
		if names[m.name] || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(m.name) || m.rule == "" {
			t.Errorf("%q: a mutant has a name of its own in small letters, and a rule", m.name)
		}
		names[m.name] = true
		if tests[m.pkg()] == nil {
			tests[m.pkg()] = testsOf(t, filepath.Join(root, filepath.FromSlash(m.pkg())))
		}
		if !tests[m.pkg()][m.test] {
			t.Errorf("%s: there is no %s in %s", m.name, m.test, m.pkg())
		}
	}
	const mutantsMin = 25
	if len(names) < mutantsMin {
		t.Errorf("%d mutants, want at least %d", len(names), mutantsMin)
	}
}

// testsOf names the tests of the package in a folder.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}

// A mutant is put in nowhere but in its one place.
func TestSpoil(t *testing.T) {
	for _, c := range []struct {
		text, old, new string
		want           string // "": it does not apply
	}{
		{"a b c", "b", "x", "a x c"},
		{"a c", "b", "x", ""},
		{"b b", "b", "x", ""},
		{"a b c", "b", "b", ""},
	} {
		m := mutant{old: c.old, new: c.new}
		got, err := m.spoil([]byte(c.text))
		if string(got) != c.want || errors.Is(err, errPlace) != (c.want == "") {
			t.Errorf("%q for %q in %q: %q, %v", c.new, c.old, c.text, got, err)
		}
	}
}

// scale is a package with a rule and a test; the mutants below are of it.
const (
	scaleMod  = "module scale\n\ngo 1.23\n"
	scaleCode = "package scale\n\nfunc heavy(n int) bool { return n > 10 }\n"
	scaleTest = `package scale

import "testing"

func TestHeavy(t *testing.T) {
	if !heavy(11) {
		t.Error("eleven is light")
	}
}

func TestSkipped(t *testing.T) { t.Skip("not here") }
`
)

// A mutant counts as caught when its test has failed, and for no other reason.
func TestOnlyAFailedTestIsACatch(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": scaleMod, "heavy/heavy.go": scaleCode, "heavy/heavy_test.go": scaleTest,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := copyTree(t.Context(), dir, filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.passes(t.Context(), "./heavy", []string{"TestHeavy"}); err != nil {
		t.Error(err)
	}
	for _, absent := range []string{"TestSkipped", "TestNowhere"} {
		if tree.passes(t.Context(), "./heavy", []string{absent}) == nil {
			t.Errorf("%s is said to pass", absent)
		}
	}
	const rule = "func heavy(n int) bool { return n > 10 }"
	for _, c := range []struct {
		name, new string
		want      error
	}{
		{"caught", "func heavy(n int) bool { return n > 11 }", nil},
		{"survives", "func heavy(n int) bool { return n >= 11 }", errSurvives},
		{"does not compile", "func heavy(n int) bool { return n > ten }", errCompile},
		{
			"ends the process", "import \"os\"\n\nfunc heavy(int) bool { os.Exit(1); return true }",
			errNoWord,
		},
	} {
		m := mutant{file: "heavy/heavy.go", old: rule, new: c.new, test: "TestHeavy"}
		said, err := tree.catches(t.Context(), &m)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want == nil && !strings.Contains(said, "eleven is light") {
			t.Errorf("%s: the test said %q", c.name, said)
		}
		text, err := os.ReadFile(filepath.Join(tree.root, "heavy", "heavy.go"))
		if err != nil || string(text) != scaleCode {
			t.Errorf("%s: the tree is left with %q, %v", c.name, text, err)
		}
	}
}
