package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// testTime is what a named test may take; the slowest takes a few seconds. One that takes longer
// with a defect in it hangs, and has noticed nothing.
const testTime = time.Minute

// Why a mutant was not caught.
var (
	errPlace    = errors.New("the old text is not there exactly once")
	errCompile  = errors.New("does not compile")
	errSurvives = errors.New("the test passes with the defect")
	errHangs    = errors.New("the test hangs with the defect")
	errNoWord   = errors.New("the process ended, and the test said nothing")
)

// tree is a copy of the repository that may be spoiled. It belongs to one worker.
type tree struct {
	root   string
	binary string // of the last test that was built
}

// copyTree copies what git keeps or would keep; where there is no git, what is there.
func copyTree(ctx context.Context, from, to string) (*tree, error) {
	files, err := list(ctx, from)
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		info, err := os.Stat(source)
		if err != nil || !info.Mode().IsRegular() { // removed, and not committed yet
			continue
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return nil, err
		}
		//nolint:gosec // G703: into a folder of ours
		if err := os.WriteFile(target, text, info.Mode().Perm()); err != nil {
			return nil, err
		}
	}
	return &tree{root: to, binary: filepath.Join(to, "mutant.test")}, nil
}

func list(ctx context.Context, root string) ([]string, error) {
	git := exec.CommandContext(ctx,
		"git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	if listed, err := git.Output(); err == nil {
		return strings.FieldsFunc(string(listed), func(r rune) bool { return r == 0 }), nil
	}
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == ".git" || path == "bin"):
			return fs.SkipDir
		case !entry.IsDir():
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// spoil puts the defect into the text of its file.
func (m *mutant) spoil(text []byte) ([]byte, error) {
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("%w: %d times in %s", errPlace, n, m.file)
	}
	if m.old == m.new {
		return nil, fmt.Errorf("%w: it changes nothing", errPlace)
	}
	return bytes.Replace(text, []byte(m.old), []byte(m.new), 1), nil
}

// put writes a file of a copied tree.
func put(path string, text []byte) error {
	return os.WriteFile(path, text, 0o600) //nolint:gosec // G703: in a folder of ours
}

// catches puts a mutant in, runs its test, takes it out again, and says what the test said. An
// error is why the mutant was not caught.
func (t *tree) catches(ctx context.Context, m *mutant) (said string, err error) {
	path := filepath.Join(t.root, filepath.FromSlash(m.file))
	whole, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	spoiled, err := m.spoil(whole)
	if err != nil {
		return "", err
	}
	if err := put(path, spoiled); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, put(path, whole)) }()
	if err := t.build(ctx, m.pkg()); err != nil {
		return "", err
	}
	output, err := t.test(ctx, m.pkg(), m.test)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil:
		return "", errSurvives
	case bytes.Contains(output, []byte("panic: test timed out")):
		return "", errHangs
	case !verdict(output, "FAIL", m.test):
		return "", fmt.Errorf("%w: %w\n%s", errNoWord, err, tail(output))
	}
	return complaint(output), nil
}

// passes wants tests to pass as the tree is.
func (t *tree) passes(ctx context.Context, pkg string, tests []string) error {
	if err := t.build(ctx, pkg); err != nil {
		return err
	}
	output, err := t.test(ctx, pkg, tests...)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, name := range tests {
		if !verdict(output, "PASS", name) {
			err = errors.Join(err, fmt.Errorf("%s %s does not pass without a defect", pkg, name))
		}
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, tail(output))
	}
	return err
}

// build makes the test binary of a package. Paths are left out of it, so that the trees share what
// the compiler keeps.
func (t *tree) build(ctx context.Context, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", "-vet=off",
		"-ldflags=-s -w", "-o", t.binary, pkg)
	cmd.Dir = t.root
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %w: %w\n%s", pkg, errCompile, err, tail(output))
	}
	return nil
}

// test runs tests of the package that was built last, where go test would run them.
func (t *tree) test(ctx context.Context, pkg string, names ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, t.binary, "-test.v", "-test.count=1",
		"-test.run=^("+strings.Join(names, "|")+")$", "-test.timeout="+testTime.String())
	cmd.Dir = filepath.Join(t.root, filepath.FromSlash(pkg))
	return cmd.CombinedOutput()
}

// verdict says whether a test has ended in this way.
func verdict(output []byte, word, test string) bool {
	return bytes.Contains(output, []byte("--- "+word+": "+test+" ("))
}

// located is a line of a test that says where it complains.
var located = regexp.MustCompile(`^\s+\w+\.go:\d+: \S`)

// complaint is the first thing that a failed test said.
func complaint(output []byte) string {
	lines := strings.Split(string(output), "\n")
	for i, line := range lines {
		if located.MatchString(line) {
			more := ""
			if i+1 < len(lines) && strings.HasSuffix(line, ":") {
				more = " " + strings.TrimSpace(lines[i+1])
			}
			return strings.TrimSpace(line) + more
		}
	}
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "panic: ") })
	if at >= 0 {
		return lines[at]
	}
	return "no word of why"
}

// tail is the end of an output, which says what went wrong.
func tail(output []byte) string {
	const linesMax = 30
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return strings.Join(lines[max(0, len(lines)-linesMax):], "\n")
}
