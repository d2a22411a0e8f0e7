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

// groups are those without which the daemon, as its own user, can not open its devices: serial lines
// and printers.
var groups = []string{"dialout", "lp"}

// Whoever makes the user, or starts the daemon as it, gives it every group.
func TestTheDaemonIsInTheGroupsOfItsDevices(t *testing.T) {
	for path, giving := range map[string]string{
		"systemd/reversald.service": "(?m)^SupplementaryGroups=.*\\bGROUP\\b",
		"systemd/sysusers.conf":     "(?m)^m reversald GROUP$",
		"scripts/postinstall.sh":    "(?m)for group in .*\\bGROUP\\b",
		"yocto/reversald_git.bb":    "--groups [a-z,]*\\bGROUP\\b",
		"buildroot/reversald.mk":    "(?m)reversald -1 .* - [a-z,]*\\bGROUP\\b",
	} {
		content := read(t, path)
		for _, group := range groups {
			pattern := strings.ReplaceAll(giving, "GROUP", group)
			if !regexp.MustCompile(pattern).MatchString(content) {
				t.Errorf("%s does not give the group %s (%s)", path, group, pattern)
			}
		}
	}
}

// The inits take the groups from where the user is made: procd, OpenRC and start-stop-daemon ask
// for those of the user they change to, and runit, which does not, is told.
func TestNoInitNamesGroupsOfItsOwn(t *testing.T) {
	for path, asking := range map[string]string{
		"init/sysv":   `-c reversald$`,
		"init/procd":  `procd_set_param user reversald$`,
		"init/openrc": `^command_user=reversald:reversald$`,
		"init/runit":  `chpst -u "reversald:\$\(id -Gn reversald \| tr ' ' ':'\)"`,
	} {
		content := read(t, path)
		if !regexp.MustCompile("(?m)" + asking).MatchString(content) {
			t.Errorf("%s: not started with %s", path, asking)
		}
		for _, group := range groups {
			if regexp.MustCompile(`(?m)^[^#]*\b` + group + `\b`).MatchString(content) {
				t.Errorf("%s names the group %s: where there is none, nothing would start", path, group)
			}
		}
	}
}
