package recipes_test

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const packages = "../packages"

// named finds the files that a recipe takes out of the source.
var named = regexp.MustCompile(`(?:cross/packages|\$packages)/([a-z0-9./-]+)`)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(packages, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestRecipesNameFilesThatExist(t *testing.T) {
	for _, recipe := range []string{"yocto/reversald_git.bb", "buildroot/reversald.mk"} {
		found := named.FindAllStringSubmatch(read(t, recipe), -1)
		if len(found) < 4 {
			t.Errorf("%s names %d files, want at least 4", recipe, len(found))
		}
		for _, match := range found {
			matches, err := filepath.Glob(filepath.Join(packages, match[1]+"*"))
			if err != nil || len(matches) == 0 {
				t.Errorf("%s names %s, which is not there", recipe, match[1])
			}
		}
	}
}

// Yocto names a licence by its MD5.
func TestTheYoctoRecipeKnowsTheLicence(t *testing.T) {
	licence, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum(licence)
	if want := "md5=" + hex.EncodeToString(sum[:]); !strings.Contains(
		read(t, "yocto/reversald_git.bb"), want) {
		t.Errorf("the recipe does not have %s", want)
	}
}

// make reads the Buildroot package in a tree that has no Buildroot: whatever its macros would do,
// the file itself must parse, and evaluate the golang macro once.
func TestTheBuildrootPackageIsAMakefile(t *testing.T) {
	path, err := filepath.Abs(filepath.Join(packages, "buildroot", "reversald.mk"))
	if err != nil {
		t.Fatal(err)
	}
	stub := filepath.Join(t.TempDir(), "Makefile")
	text := "golang-package = $(info golang-package $(REVERSALD_GOMOD))\ninclude " + path + "\nall:\n"
	if err := os.WriteFile(stub, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "make", "-n", "-f", stub, "all").CombinedOutput()
	if err != nil || strings.Count(string(out), "golang-package reversald") != 1 {
		t.Errorf("make: %v\n%s", err, out)
	}
}
