package main

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Rows of the table that are no module.
const (
	standard = "standard library"
	noCode   = "tables, types and data"
)

// errNoFunctions: a Go binary carries its function table even when it is stripped, as a stack
// trace needs it. Ours are read from there, so the binary that is weighed is the one that ships.
var errNoFunctions = errors.New("has no Go function table to count by module")

// makeup is what a binary is made of: bytes of machine code by module path, and the rest.
type makeup map[string]int64

// takeApart reads the function table of the binary at path, which is size bytes long.
func takeApart(path string, size int64) (makeup, error) {
	built, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read its modules: %w", err)
	}
	modules := []string{built.Main.Path}
	for _, module := range built.Deps {
		modules = append(modules, module.Path)
	}
	functions, err := functionsOf(path)
	if err != nil {
		return nil, err
	}
	parts := makeup{noCode: size}
	for i := range functions {
		// A method on the list is one that something reaches.
		if strings.HasPrefix(functions[i].Name, "reflect.") &&
			strings.HasSuffix(functions[i].Name, ".MethodByName") {
			return nil, errMethods
		}
		code := int64(functions[i].End - functions[i].Entry)
		parts[owner(functions[i].Name, modules)] += code
		parts[noCode] -= code
	}
	return parts, nil
}

func functionsOf(path string) ([]gosym.Func, error) {
	binary, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = binary.Close() }()
	text, lines := binary.Section(".text"), binary.Section(".gopclntab")
	if text == nil || lines == nil {
		return nil, errNoFunctions
	}
	content, err := lines.Data()
	if err != nil {
		return nil, err
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(content, text.Addr))
	if err != nil {
		return nil, fmt.Errorf("read its function table: %w", err)
	}
	if len(table.Funcs) == 0 {
		return nil, errNoFunctions
	}
	return table.Funcs, nil
}

// owner is the module that a function belongs to: the longest module path it begins with. A
// generic function belongs to who wrote it, not to who filled it in.
func owner(function string, modules []string) string {
	function, _, _ = strings.Cut(function, "[")
	found := standard
	for _, module := range modules {
		rest, is := strings.CutPrefix(function, module)
		is = is && rest != "" && strings.ContainsRune("/.", rune(rest[0]))
		if is && (found == standard || len(module) > len(found)) {
			found = module
		}
	}
	if strings.HasPrefix(function, "main.") {
		found = modules[0]
	}
	return found
}

// table prints one row a module and one column a binary, the heaviest row first.
func table(out io.Writer, names []string, parts []makeup) error {
	heaviest := map[string]int64{}
	for _, part := range parts {
		for row, bytes := range part {
			heaviest[row] = max(heaviest[row], bytes)
		}
	}
	rows := slices.SortedFunc(maps.Keys(heaviest), func(a, b string) int {
		return cmp.Or(cmp.Compare(heaviest[b], heaviest[a]), cmp.Compare(a, b))
	})
	columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(columns, "%s\t bytes of code\t\n", strings.Join(names, "\t"))
	for _, row := range rows {
		for _, part := range parts {
			fmt.Fprintf(columns, "%d\t", part[row])
		}
		fmt.Fprintf(columns, " %s\t\n", row)
	}
	return columns.Flush()
}
