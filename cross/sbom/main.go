// Command sbom prints what a binary is made of, as a CycloneDX 1.5 bill of materials in JSON.
//
// It believes nothing but the binary: Go writes the modules it linked, their versions and the sums
// that go.sum holds into every program, and those are read back here. So the list can not differ
// from what ships, and the same binary gives the same bytes.
//
//	sbom -name reversald -version 1.2.3 bin/armv7/reversald > sbom.cdx.json
package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

// bill is the part of CycloneDX 1.5 that we fill in.
type bill struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Purl       string     `json:"purl,omitempty"`
	Scope      string     `json:"scope,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns 0, or 1 when the file is no Go binary, or 2 when the command line makes no sense.
func run(args []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	flags.SetOutput(complaints)
	name := flags.String("name", "reversald", "name of the program")
	version := flags.String("version", "", "version of the program; empty: what the binary says")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		fmt.Fprintln(complaints, "sbom: name one binary")
		return 2
	}
	made, err := read(flags.Arg(0), *name, *version)
	if err != nil {
		fmt.Fprintln(complaints, "sbom:", err)
		return 1
	}
	text, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		fmt.Fprintln(complaints, "sbom:", err)
		return 1
	}
	fmt.Fprintf(out, "%s\n", text)
	return 0
}

// read makes the bill of the binary at path.
func read(path, name, version string) (bill, error) {
	built, err := buildinfo.ReadFile(path)
	if err != nil {
		return bill{}, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return bill{}, err
	}
	sum := sha256.Sum256(content)
	program := component{
		Type: "application", Name: name, Version: cmp.Or(version, built.Main.Version),
		Ref:    "binary:" + hex.EncodeToString(sum[:]),
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
	}
	for _, setting := range built.Settings {
		program.Properties = append(program.Properties,
			property{"go:build:" + setting.Key, setting.Value})
	}
	toolchain := strings.TrimPrefix(built.GoVersion, "go")
	parts := []component{library("std", "v"+toolchain, "")}
	for _, module := range built.Deps {
		parts = append(parts, linked(module))
	}
	slices.SortFunc(parts, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	refs := make([]string, 0, len(parts))
	for i := range parts {
		refs = append(refs, parts[i].Ref)
	}
	return bill{
		Format: "CycloneDX", SpecVersion: "1.5", SerialNumber: serial(sum), Version: 1,
		Metadata: metadata{program}, Components: parts,
		Dependencies: []dependency{{program.Ref, refs}},
	}, nil
}

// linked is a module as the binary has it: a replacement stands for what it replaces.
func linked(module *debug.Module) component {
	for module.Replace != nil {
		module = module.Replace
	}
	return library(module.Path, module.Version, module.Sum)
}

func library(path, version, sum string) component {
	purl := "pkg:golang/" + path + "@" + version
	made := component{
		Type: "library", Ref: purl, Name: path, Version: version, Purl: purl, Scope: "required",
	}
	if sum != "" {
		// Not a hash in CycloneDX's sense: it is over the names and hashes of the files.
		made.Properties = []property{{"go:sum", sum}}
	}
	return made
}

// serial is a UUID (RFC 9562, version 8) made of the binary's own hash.
func serial(sum [sha256.Size]byte) string {
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}
