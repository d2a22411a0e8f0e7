// Command cover says how much of some packages the tests reach.
//
// Think of a map on which every walker draws the streets they took: the walks of all the tests of
// a run lie in one profile, and a street counts once, whoever walked it. It reads the profile of go
// test that the command line names and prints, for each package named with -packages,
//
//	coverage_payment 98.2 % 95 ok
//
// which is the share of statements that ran, the goal, and "short" below it. With -gaps it prints
// the places that no test came to, too. The exit code is 1 when a package is short.
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// goalDefault is the share of statements, in percent, that the tests should reach.
const goalDefault = 95

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("cover", flag.ContinueOnError)
	flags.SetOutput(complaints)
	goal := flags.Float64("goal", goalDefault, "percent of statements")
	packages := flags.String("packages", "", "import paths, with commas between them")
	gaps := flags.Bool("gaps", false, "print what no test came to")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 || *packages == "" {
		fmt.Fprintln(complaints, "cover: give -packages and the profile of a go test -coverprofile")
		return 2
	}
	f, err := os.Open(flags.Arg(0))
	if err != nil {
		fmt.Fprintf(complaints, "cover: %v\n", err)
		return 2
	}
	defer f.Close()
	blocks, err := read(f)
	if err != nil {
		fmt.Fprintf(complaints, "cover: %s: %v\n", flags.Arg(0), err)
		return 2
	}
	code := 0
	for _, pkg := range strings.Split(*packages, ",") {
		share := shareOf(pkg, blocks)
		word := "ok"
		if share < *goal {
			word, code = "short", 1
		}
		// Rounded down: what is short does not read as if it were not.
		fmt.Fprintf(out, "coverage_%s %.1f %% %g %s\n",
			path.Base(pkg), float64(int(share*10))/10, *goal, word)
		if *gaps {
			printGaps(out, pkg, blocks)
		}
	}
	return code
}

// block is a run of statements that are reached together.
type block struct {
	file       string // by import path
	from, to   int    // lines
	at         string // exact place, as the profile has it
	statements int
	reached    bool
}

// read takes a profile apart. The same block stands in it once for every package whose tests ran.
func read(r io.Reader) ([]block, error) {
	byPlace := map[string]block{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if n == 1 && strings.HasPrefix(line, "mode: ") {
			continue
		}
		b, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		key := b.file + ":" + b.at
		b.reached = b.reached || byPlace[key].reached
		byPlace[key] = b
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	blocks := make([]block, 0, len(byPlace))
	for _, b := range byPlace {
		blocks = append(blocks, b)
	}
	slices.SortFunc(blocks, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.file, b.file), a.from-b.from, cmp.Compare(a.at, b.at))
	})
	return blocks, nil
}

// parse reads "reversald/iso/pan.go:12.30,14.2 3 1": place, statements, how often.
func parse(line string) (block, error) {
	file, rest, found := strings.Cut(line, ".go:")
	words := strings.Fields(rest)
	if !found || len(words) != 3 {
		return block{}, fmt.Errorf("%q is no line of a profile", line)
	}
	b := block{file: file + ".go", at: words[0]}
	_, err := fmt.Sscanf(words[0], "%d.", &b.from)
	if err == nil {
		_, end, _ := strings.Cut(words[0], ",")
		_, err = fmt.Sscanf(end, "%d.", &b.to)
	}
	if err == nil {
		b.statements, err = strconv.Atoi(words[1])
	}
	if err != nil {
		return block{}, fmt.Errorf("%q: %w", line, err)
	}
	b.reached = words[2] != "0"
	return b, nil
}

// shareOf is the share of a package's statements that ran, in percent; those of the packages below
// it do not count. A package that nobody has heard of has none.
func shareOf(pkg string, blocks []block) float64 {
	reached, all := 0, 0
	for _, b := range blocks {
		if path.Dir(b.file) != pkg {
			continue
		}
		all += b.statements
		if b.reached {
			reached += b.statements
		}
	}
	if all == 0 {
		return 0
	}
	return 100 * float64(reached) / float64(all)
}

func printGaps(out io.Writer, pkg string, blocks []block) {
	for _, b := range blocks {
		if path.Dir(b.file) == pkg && !b.reached && b.statements > 0 {
			fmt.Fprintf(out, "  %s:%d-%d %d\n", b.file, b.from, b.to, b.statements)
		}
	}
}
