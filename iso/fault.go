package iso

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Fault is one thing that is wrong with a profile, and where.
type Fault struct {
	File string // the file, or the name of a built-in profile
	Line int    // from 1; 0 when it concerns the whole file
	Col  int    // from 1
	What string
}

// String is file:line:column: what.
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.What
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.What)
}

// ProfileError is everything that is wrong with a profile, in the order of the file.
type ProfileError struct {
	Faults []Fault
}

// Error has one line for each fault.
func (e *ProfileError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// faultsMax bounds the list: a file that is not a profile at all would fill pages.
const faultsMax = 50

// desk collects the faults of one profile and knows which file each node of it came from: after
// extends, the nodes of several files stand in one tree.
type desk struct {
	origin map[*yaml.Node]string
	faults []Fault
	shapes map[*yaml.Node]*shape // nodes that are asked what they could be; see schema.go
}

// fault notes that something is wrong at n.
func (d *desk) fault(n *yaml.Node, format string, args ...any) {
	if len(d.faults) < faultsMax {
		what := fmt.Sprintf(format, args...)
		d.faults = append(d.faults, Fault{d.origin[n], n.Line, n.Column, what})
	}
}

// err is nil or a *ProfileError, sorted by place and without repetitions.
func (d *desk) err() error {
	if len(d.faults) == 0 {
		return nil
	}
	sort.SliceStable(d.faults, func(i, j int) bool {
		a, b := d.faults[i], d.faults[j]
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
		) < 0
	})
	return &ProfileError{Faults: slices.Compact(d.faults)}
}
