package verbs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"reversald/agent/verbs"
)

// speaks are the functions that word something, and which of their arguments are texts of ours.
var speaks = map[string][]int{
	"say": {0}, "tell": {1}, "f": {0}, "Tr": {0}, "wrong": {0}, "row": {0}, "act": {0, 1},
	"good": {0}, "look": {0}, "bad": {0}, "place": {0}, "add": {0},
}

// textsOf are all texts in English that the sources of a directory word.
func textsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), dir+"/"+file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			case *ast.Ident:
				name = fun.Name
			}
			for _, i := range speaks[name] {
				if i < len(call.Args) {
					if text, ok := literal(call.Args[i]); ok {
						found[text] = file.Name()
					}
				}
			}
			return true
		})
	}
	return found
}

// literal is a string that stands in the source, in one piece or several.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		x, okX := literal(e.X)
		y, okY := literal(e.Y)
		return x + y, okX && okY
	}
	return "", false
}

// sameEverywhere needs no translation: what is filled in is all there is.
var sameEverywhere = regexp.MustCompile(`^(%[-0-9.]*[a-z]|[\s:().+>-])*$`)

// TestNoTextLacksALanguage: every text that is worded anywhere is there in Chinese, takes the same
// values, and nothing is translated that nobody says.
func TestNoTextLacksALanguage(t *testing.T) {
	texts := textsOf(t, ".")
	for _, v := range verbs.All() {
		texts[v.Short] = v.Name
		if v.Long != "" {
			texts[v.Long] = v.Name
		}
		for _, f := range v.Flags {
			texts[f.Doc] = v.Name
		}
	}
	for _, text := range verbs.ShellTexts() {
		texts[text] = "the shell"
	}
	var missing []string
	for text, where := range texts {
		if sameEverywhere.MatchString(text) {
			continue
		}
		zh := verbs.Chinese.Tr(text)
		switch {
		case zh == text:
			missing = append(missing, strconv.Quote(text)+": "+strconv.Quote("")+", // "+where)
		case !slices.Equal(takes(zh), takes(text)):
			t.Errorf("%q takes %v, in Chinese %v", text, takes(text), takes(zh))
		case strings.HasSuffix(text, "\n") != strings.HasSuffix(zh, "\n"):
			t.Errorf("%q ends otherwise in Chinese", text)
		case !strings.ContainsFunc(zh, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }):
			t.Errorf("%q in Chinese is %q", text, zh)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("without Chinese:\n%s", strings.Join(missing, "\n"))
	}
	for text := range verbs.ChineseTexts() {
		if _, said := texts[text]; !said {
			t.Errorf("nobody says %q", text)
		}
	}
}

var verb = regexp.MustCompile(`%(\[\d+\])?[-0-9.]*[a-z]`)

// takes lists what a format is filled with, by the order of the values.
func takes(format string) []string {
	var all []string
	format = strings.ReplaceAll(format, "%%", "")
	for i, m := range verb.FindAllString(format, -1) {
		at := i + 1
		if open := strings.IndexByte(m, '['); open >= 0 {
			at, _ = strconv.Atoi(m[open+1 : strings.IndexByte(m, ']')])
			m = "%" + m[strings.IndexByte(m, ']')+1:]
		}
		all = append(all, strconv.Itoa(at)+m)
	}
	slices.Sort(all)
	return all
}

// TestHelpFitsAScreen: a tired person reads help on 80 columns.
func TestHelpFitsAScreen(t *testing.T) {
	for _, v := range verbs.All() {
		if len(v.Short) > 60 {
			t.Errorf("%s in short is %d long", v.Name, len(v.Short))
		}
		for _, lang := range []verbs.Lang{verbs.English, verbs.Chinese} {
			for _, line := range strings.Split(lang.Tr(v.Long), "\n") {
				if n := verbs.Columns(line); n > 80 {
					t.Errorf("%s in %s: %d columns: %s", v.Name, lang, n, line)
				}
			}
		}
	}
}
