// Command weigh refuses a binary that a terminal cannot take.
//
// Think of the scales at a post office: a binary is put on them as it would be
// shipped, and what is over the limit stays here. A binary must be an ELF file
// for Linux that needs no loader and no libc, carries no symbol table, and has
// at most -max bytes. For each file named on the command line it prints
//
//	size_armv7 7123456 bytes <=10000000 ok
//
// where the name is that of the file's directory and the last word is "short"
// when the binary is over the limit. A binary that is known to be too big is named with a ceiling
// of its own and a reason, -known 'mipsle=11000000 wide instructions': it is still printed as
// short, with the reason, and fails only above that ceiling, or when it is not too big
// any more. With -modules it goes on to print how much
// code each module puts into each binary. A binary that reaches
// reflect.MethodByName is refused: the linker then keeps every exported method of
// everything, about two megabytes that nobody calls. The exit code is 0 when every binary
// passed, 1 when one did not, 2 when the command line made no sense.
package main

import (
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// bytesMax is the limit when -max is not given.
const bytesMax = 10_000_000

// Why a binary of the right size is refused all the same.
var (
	errDynamic = errors.New("asks for a dynamic loader, so it depends on the terminal's libc")
	errSymbols = errors.New("carries a symbol table, so it was not stripped")
	errMethods = errors.New("reaches reflect.MethodByName (a text/template will do), " +
		"so the linker could leave nothing out")
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("weigh", flag.ContinueOnError)
	flags.SetOutput(complaints)
	limit := flags.Int64("max", bytesMax, "most bytes a binary may have")
	modules := flags.Bool("modules", false, "print how much code each module puts in")
	known := misses{}
	flags.Func("known", "NAME=BYTES REASON: a binary that may be over -max, up to BYTES", known.add)
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() == 0 {
		fmt.Fprintln(complaints, "weigh: no binary named")
		return 2
	}
	code := 0
	var names []string
	var parts []makeup
	for _, path := range flags.Args() {
		size, part, err := weigh(path)
		if err != nil {
			fmt.Fprintf(complaints, "weigh: %s: %v\n", path, err)
			code = 1
			continue
		}
		verdict := "ok"
		name := filepath.Base(filepath.Dir(path))
		if size > *limit {
			verdict = "short"
		}
		fmt.Fprintf(out, "size_%s %d bytes <=%d %s\n", name, size, *limit, verdict)
		if err := known.judge(name, size, *limit, out); err != nil {
			fmt.Fprintf(complaints, "weigh: %s: %v\n", path, err)
			code = 1
		}
		names, parts = append(names, name), append(parts, part)
	}
	if *modules {
		if err := table(out, names, parts); err != nil {
			fmt.Fprintln(complaints, "weigh:", err)
			code = 1
		}
	}
	return code
}

// weigh returns the size of the binary at path in bytes, and what it is made of.
func weigh(path string) (int64, makeup, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, nil, err
	}
	if err := selfContained(path); err != nil {
		return 0, nil, err
	}
	parts, err := takeApart(path, info.Size())
	if err != nil {
		return 0, nil, err
	}
	return info.Size(), parts, nil
}

// selfContained refuses a binary that needs more than a kernel, or carries more than it needs.
func selfContained(path string) error {
	binary, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("read as ELF: %w", err)
	}
	defer func() { _ = binary.Close() }()
	for _, segment := range binary.Progs {
		if segment.Type == elf.PT_INTERP {
			return errDynamic
		}
	}
	if binary.SectionByType(elf.SHT_SYMTAB) != nil {
		return errSymbols
	}
	return nil
}
