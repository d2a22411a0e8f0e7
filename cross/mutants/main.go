// Command mutants proves that the tests can fail.
//
// Think of a fire drill: nobody believes an alarm that has never rung. Each mutant is a defect put
// into the real source, one line or a few, that breaks one rule of a payment's life: the request
// sent before it is on disk, a doubt forgotten, a reversal dropped. For each there is one named
// test that must notice. This program copies the tree into a temporary folder, makes sure that the
// named tests pass there, then puts in one defect at a time, runs its test and nothing else, and
// prints a line:
//
//	send-before-commit  nothing leaves before its record is durable  TestARequestIs…  1.2 s
//
// A test that fails has caught its mutant. One that passes, hangs, or that brings the whole process
// down without a verdict has not; nor is a mutant caught that does not compile, or whose old text
// is not found exactly once. The last line counts, and the exit code is 1 unless all were caught.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// workersMax is how many trees are built and tested beside each other: a link takes half a gigabyte
// at its worst.
const workersMax = 4

// mutant is one seeded defect.
type mutant struct {
	name string
	rule string // what it breaks, in the words of the design
	file string // slash-separated, from the root of the repository
	old  string // must be there exactly once
	new  string
	test string // the one that must fail
	in   string // and the package it is in; empty: that of file
}

// pkg is the package of the test, as go test takes it.
func (m *mutant) pkg() string {
	if m.in != "" {
		return m.in
	}
	return "./" + m.file[:strings.LastIndexByte(m.file, '/')]
}

// all is every mutant, those of one package side by side: what they share is compiled once.
func all() []mutant {
	return slices.Concat(decisions, queues, written, matched, doors, journals, dialects)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(complaints)
	root := flags.String("root", ".", "where the repository is")
	only := flags.String("run", "", "only mutants whose name matches this expression")
	workers := flags.Int("workers", min(runtime.NumCPU(), workersMax), "trees beside each other")
	why := flags.Bool("why", false, "print what each test said")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	match, err := regexp.Compile(*only)
	if err != nil || *workers < 1 || flags.NArg() > 0 {
		fmt.Fprintln(complaints, "mutants: -run takes an expression, -workers a number from 1 on")
		return 2
	}
	herd := slices.DeleteFunc(all(), func(m mutant) bool { return !match.MatchString(m.name) })
	began := time.Now()
	caught, err := drill(ctx, *root, herd, *workers, *why, out)
	if err != nil {
		fmt.Fprintf(complaints, "mutants: %v\n", err)
		return 1
	}
	verdict := "ok"
	if caught < len(herd) || len(herd) == 0 {
		verdict = "short"
	}
	fmt.Fprintf(out, "\nmutants_caught %d mutants %d %s\nmutants_time %.0f s\n",
		caught, len(herd), verdict, time.Since(began).Seconds())
	if verdict != "ok" {
		return 1
	}
	return 0
}

// drill runs every mutant and counts those that were caught.
func drill(
	ctx context.Context, root string, herd []mutant, workers int, why bool, out io.Writer,
) (caught int, err error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	trees := make([]*tree, workers)
	for i := range trees {
		if trees[i], err = copyTree(ctx, root, fmt.Sprintf("%s/%d", dir, i)); err != nil {
			return 0, err
		}
	}
	if err := faithful(ctx, trees, herd); err != nil {
		return 0, err
	}
	results := hunt(ctx, trees, herd)
	lines := newTable(out, herd)
	for i := range herd {
		r := <-results[i]
		if r.err == nil {
			caught++
		}
		lines.row(&herd[i], r, why)
	}
	return caught, ctx.Err()
}

// faithful wants every named test to pass in a tree without a defect. A test that is skipped here
// would let its mutant live.
func faithful(ctx context.Context, trees []*tree, herd []mutant) error {
	var packages []string
	tests := map[string][]string{}
	for _, m := range herd {
		if _, known := tests[m.pkg()]; !known {
			packages = append(packages, m.pkg())
		}
		if !slices.Contains(tests[m.pkg()], m.test) {
			tests[m.pkg()] = append(tests[m.pkg()], m.test)
		}
	}
	faults := make([]error, len(packages))
	each(trees, len(packages), func(t *tree, i int) {
		faults[i] = t.passes(ctx, packages[i], tests[packages[i]])
	})
	return errors.Join(faults...)
}

// result is how a mutant fared; without an error it was caught.
type result struct {
	err  error
	said string // the first thing its test complained about
	took time.Duration
}

// hunt runs the mutants; each has a channel of its own, so that they can be told in order.
func hunt(ctx context.Context, trees []*tree, herd []mutant) []chan result {
	results := make([]chan result, len(herd))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	go each(trees, len(herd), func(t *tree, i int) {
		began := time.Now()
		said, err := t.catches(ctx, &herd[i])
		results[i] <- result{err: err, said: said, took: time.Since(began)}
	})
	return results
}

// each gives n jobs, in order, to as many workers as there are trees, and waits for all of them.
func each(trees []*tree, n int, job func(t *tree, i int)) {
	next := make(chan int)
	done := make(chan struct{})
	for _, t := range trees {
		go func() {
			for i := range next {
				job(t, i)
			}
			done <- struct{}{}
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	for range trees {
		<-done
	}
}

// table prints aligned lines, each as soon as it is known.
type table struct {
	out                io.Writer
	name, rule, caught int
}

func newTable(out io.Writer, herd []mutant) *table {
	t := &table{out: out, name: len("mutant"), rule: len("rule"), caught: len("caught by")}
	for _, m := range herd {
		t.name = max(t.name, len(m.name))
		t.rule = max(t.rule, len(m.rule))
		t.caught = max(t.caught, len(m.test))
	}
	t.line("mutant", "rule", "caught by", "seconds")
	return t
}

func (t *table) line(name, rule, caught, seconds string) {
	fmt.Fprintf(t.out, "%-*s  %-*s  %-*s  %7s\n",
		t.name, name, t.rule, rule, t.caught, caught, seconds)
}

func (t *table) row(m *mutant, r result, why bool) {
	took := fmt.Sprintf("%.1f", r.took.Seconds())
	if r.err != nil {
		t.line(m.name, m.rule, "NOT CAUGHT", took)
		fmt.Fprintf(t.out, "  %s: %v\n", m.test, r.err)
		return
	}
	t.line(m.name, m.rule, m.test, took)
	if why {
		fmt.Fprintf(t.out, "  %s\n", r.said)
	}
}
