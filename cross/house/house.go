// Package house holds the rules about this repository that no linter knows.
//
// Think of a surveyor who walks through a house with the plan in hand: which
// rooms there are, whether every door has one name plate and not two, and
// whether a workman left his own address on a wall. Each rule takes a list of
// files and returns its findings, one sentence each, so that a test can show it
// a house with a fault in it. An empty result means that all is well.
package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// rooms is everything that may and must stand at the top of the repository,
// dotfiles aside. A new thing finds its place in one of the five directories.
var rooms = []string{
	"LICENSE", "Makefile", "README.md", "agent", "cross", "go.mod", "go.sum", "hal", "iso", "store",
}

// TopLevel finds what should not be, or is missing, at the top of the
// repository. Files are slash-separated paths from there.
func TopLevel(files []string) []string {
	var top, findings []string
	for _, file := range files {
		name, _, _ := strings.Cut(file, "/")
		if !strings.HasPrefix(name, ".") {
			top = append(top, name)
		}
	}
	slices.Sort(top)
	top = slices.Compact(top)
	for _, name := range top {
		if !slices.Contains(rooms, name) {
			findings = append(findings, name+": has no place at the top level")
		}
	}
	for _, name := range rooms {
		if !slices.Contains(top, name) {
			findings = append(findings, name+": is missing")
		}
	}
	return findings
}

// machinePath matches an absolute path into a directory that is somebody's own:
// a home, a scratch directory, a build machine's work tree. What stands before
// it must not make it the tail of a longer path, a variable or an address.
var machinePath = regexp.MustCompile(
	`(?:^|[^\w.$~})/-])(/(?:home|root|tmp|work|Users|workspace)/[\w.$-]+)`)

// MachinePaths finds absolute paths that mean something on one machine only.
func MachinePaths(tree fs.FS, files []string) ([]string, error) {
	var findings []string
	for _, file := range files {
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, fmt.Errorf("look for machine paths: %w", err)
		}
		for n, line := range bytes.Split(content, []byte("\n")) {
			if found := machinePath.FindSubmatch(line); found != nil {
				findings = append(findings,
					fmt.Sprintf("%s:%d: %s is a path of one machine", file, n+1, found[1]))
			}
		}
	}
	return findings, nil
}

// PackageComments finds packages that have no package comment, or several, of
// which a reader would see one or the other.
func PackageComments(tree fs.FS, files []string) ([]string, error) {
	comments := map[string][]string{} // by directory and name, the files that have one
	for _, file := range files {
		if !isSource(file) {
			continue
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, fmt.Errorf("look for package comments: %w", err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, content,
			parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("look for package comments: %w", err)
		}
		name := path.Dir(file) + ": package " + parsed.Name.Name
		comments[name] = append(comments[name], commented(file, parsed)...)
	}
	var findings []string
	for name, in := range comments {
		switch len(in) {
		case 0:
			findings = append(findings, name+" has no comment")
		case 1:
		default:
			findings = append(findings, name+" has a comment in each of "+strings.Join(in, ", "))
		}
	}
	slices.Sort(findings)
	return findings, nil
}

// isSource says whether file is Go that somebody may import or run: no test, and
// nothing that only lies there as data for one.
func isSource(file string) bool {
	return strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") &&
		!slices.Contains(strings.Split(file, "/"), "testdata")
}

func commented(file string, parsed *ast.File) []string {
	if parsed.Doc.Text() == "" { // directives are no text
		return nil
	}
	return []string{path.Base(file)}
}

// The codec stays where it still compiles for the terminals we ship to, and
// whoever is about to raise it finds the reason on the line above.
const (
	codec        = "github.com/moov-io/iso8583"
	codecVersion = "v0.23.2"
	codecReason  = "v0.23.3 … v0.26.1 do not compile on 32-bit ARM (prefix/binary.go overflows int)"
)

// CodecPin finds a go.mod that requires another version of the codec, or that
// lost the reason why it must not.
func CodecPin(gomod string) []string {
	var findings []string
	above := ""
	for _, line := range strings.Split(gomod, "\n") {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) < 2 || fields[0] != codec {
			above = strings.TrimPrefix(strings.TrimSpace(line), "// ")
			continue
		}
		if fields[1] != codecVersion {
			findings = append(findings, codec+" is at "+fields[1]+", want "+codecVersion)
		}
		if above != codecReason {
			findings = append(findings, codec+" lost the line above it: // "+codecReason)
		}
		return findings
	}
	return append(findings, codec+" is not required")
}
