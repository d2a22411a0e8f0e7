package iso_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Rule: every test that DOOR.md names for a claim is there.
func TestDoorNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("DOOR.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests []byte
	for _, pattern := range []string{"*_test.go", "../../*_test.go", "../../cmd/reversald/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests = append(tests, source...)
		}
	}
	names := regexp.MustCompile(`Test\w+`).FindAllString(string(text), -1)
	if len(names) < 20 {
		t.Fatalf("%d tests are named", len(names))
	}
	for _, name := range names {
		if !bytes.Contains(tests, []byte("func "+name+"(")) {
			t.Errorf("%s is not there", name)
		}
	}
	for _, script := range regexp.MustCompile(`\w+\.txtar`).FindAllString(string(text), -1) {
		if _, err := os.Stat("../../cmd/reversald/testdata/script/" + script); err != nil {
			t.Error(err)
		}
	}
}
