package iso_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"reversald/iso"
)

var update = flag.Bool("update", false, "write profile.schema.json again")

func schema(t testing.TB) map[string]any {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(iso.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The file in the repository is for editors; it is the code's.
func TestSchemaFileIsCurrent(t *testing.T) {
	const file = "profile.schema.json"
	if *update {
		if err := os.WriteFile(file, iso.Schema(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(want, iso.Schema()) {
		t.Errorf("%s is not what the code makes (%v): go test ./iso -run Schema -update", file, err)
	}
}

// schemaKeys are the paths of all keys in a schema.
func schemaKeys(s map[string]any, path string, out map[string]string) {
	at := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	properties, _ := s["properties"].(map[string]any)
	for key, value := range properties {
		child := value.(map[string]any)
		about, _ := child["description"].(string)
		out[at(key)] = about
		schemaKeys(child, at(key), out)
	}
	if items, ok := s["items"].(map[string]any); ok {
		schemaKeys(items, path, out)
	}
	if others, ok := s["additionalProperties"].(map[string]any); ok {
		schemaKeys(others, at("*"), out)
	}
	ways, _ := s["anyOf"].([]any)
	for _, way := range ways {
		schemaKeys(way.(map[string]any), path, out)
	}
}

// keyTable is the table of all keys in PROFILES.md.
func keyTable(paths map[string]string) string {
	out := "| key | what it is |\n|---|---|\n"
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		out += "| `" + path + "` | " + paths[path] + " |\n"
	}
	return out
}

// Every key has a description, and every description a key; PROFILES.md lists all of them, and has
// each in an example.
func TestEveryKeyIsDocumented(t *testing.T) {
	paths := map[string]string{}
	schemaKeys(schema(t), "", paths)
	for path := range iso.KeyTexts {
		if _, ok := paths[path]; !ok {
			t.Errorf("there is no key %s", path)
		}
	}
	file, err := os.ReadFile("PROFILES.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(file)
	before, rest, _ := strings.Cut(text, "<!-- keys -->\n")
	_, after, ok := strings.Cut(rest, "<!-- end -->\n")
	want := before + "<!-- keys -->\n" + keyTable(paths) + "<!-- end -->\n" + after
	if *update && ok && want != text {
		if err := os.WriteFile("PROFILES.md", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		text = want
	}
	if want != text {
		t.Error("the table of keys is not what the code makes: go test ./iso -run Key -update")
	}
	shown := map[string]bool{}
	for _, example := range examples(t, text) {
		exampleKeys(example, schema(t), "", shown)
	}
	for path, about := range paths {
		if about == "" {
			t.Errorf("%s has no description", path)
		}
		if !shown[path] {
			t.Errorf("PROFILES.md has no example of %s", path)
		}
	}
}

// examples are the YAML blocks of a text.
func examples(t testing.TB, text string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(block[1]), &doc); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
			continue
		}
		out = append(out, plain(doc.Content[0]).(map[string]any))
	}
	return out
}

// exampleKeys notes the paths of a value's keys as the schema has them.
func exampleKeys(value any, s map[string]any, path string, shown map[string]bool) {
	if items, ok := value.([]any); ok {
		for _, item := range items {
			exampleKeys(item, s, path, shown)
		}
		return
	}
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	known := map[string]string{}
	schemaKeys(schemaAt(s, path), path, known)
	for key, child := range object {
		at := strings.TrimPrefix(path+"."+key, ".")
		if _, listed := known[at]; !listed {
			at = strings.TrimPrefix(path+".*", ".")
		}
		shown[at] = true
		exampleKeys(child, s, at, shown)
	}
}

// schemaAt is all that a schema says below a path, in one schema.
func schemaAt(s map[string]any, path string) map[string]any {
	if path == "" {
		return s
	}
	all := map[string]string{}
	schemaKeys(s, "", all)
	below := map[string]any{}
	for p := range all {
		if rest, ok := strings.CutPrefix(p, path+"."); ok && !strings.Contains(rest, ".") {
			below[rest] = map[string]any{}
		}
	}
	return map[string]any{"properties": below}
}

// What the examples in PROFILES.md say is in the schema.
func TestExamplesFitTheSchema(t *testing.T) {
	text, err := os.ReadFile("PROFILES.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range examples(t, string(text)) {
		example["name"] = "n"
		if why := refusal(schema(t), example); why != "" {
			t.Errorf("%s in %v", why, example)
		}
	}
}

// Every profile that loads fits the schema.
func TestProfilesFitTheSchema(t *testing.T) {
	s := schema(t)
	files, _ := filepath.Glob("profiles/*.yaml")
	for _, file := range append(files, "testdata/profiles/good.yaml") {
		if why := refusal(s, plain(readYAML(t, file))); why != "" {
			t.Errorf("%s: %s", file, why)
		}
	}
}

func readYAML(t testing.TB, file string) *yaml.Node {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Content[0]
}

// contentFaults are the faults of the reader that a schema has no words for: what is inside a text,
// and what must stand together.
var contentFaults = regexp.MustCompile(`format|size must be|variable field|TPDU|UnionPay header|literal is|` +
	`is listed twice|has no code for|a text has|is missing|has no format|wants the key|subfield has|` +
	`digits of a processing code|4 digits|such as 30s|retry_min is longer`)

// What the reader takes the schema takes, and the other way round, but for the contents of texts:
// every value of the profiles is replaced by others, and every mapping gets one key too many.
func TestSchemaIsWhatTheReaderTakes(t *testing.T) {
	s := schema(t)
	mutations := []string{"nonsense", "7", "-1", "70000", "1.5", "true", "30s", "'0400'", "[1, x]", "{a: b}", "[]", "none", "64"}
	tried := 0
	for _, name := range []string{"iso93", "unionpay"} {
		root := readYAML(t, "profiles/"+name+".yaml")
		for i := 0; i < len(root.Content); i += 2 {
			if root.Content[i].Value == "extends" {
				root.Content = slices.Delete(root.Content, i, i+2)
				break
			}
		}
		dropNulls(root)
		check := func(what string) {
			t.Helper()
			tried++
			why := refusal(s, plain(root))
			faults := iso.ReadFaults(root)
			formal := slices.DeleteFunc(slices.Clone(faults), contentFaults.MatchString)
			if why != "" && len(faults) == 0 || why == "" && len(formal) > 0 {
				t.Errorf("%s, %s: the schema says %q, the reader %q", name, what, why, faults)
			}
		}
		check("as it is")
		eachNode(root, name, func(n *yaml.Node, path string) {
			was := *n
			if n.Kind == yaml.MappingNode {
				var extra yaml.Node
				_ = yaml.Unmarshal([]byte("zzz: {q: 1}"), &extra)
				n.Content = append(slices.Clone(n.Content), extra.Content[0].Content...)
				check("one key more in " + path)
				*n = was
			}
			for _, m := range mutations {
				var doc yaml.Node
				if err := yaml.Unmarshal([]byte(m), &doc); err != nil {
					t.Fatal(err)
				}
				*n = *doc.Content[0]
				check(path + " is " + m)
			}
			*n = was
		})
	}
	if tried < 1500 {
		t.Errorf("only %d profiles were tried", tried)
	}
}

// dropNulls takes out what only means something over another profile, and spells nothing out.
func dropNulls(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			if n.Content[i+1].ShortTag() == "!!null" {
				n.Content = slices.Delete(n.Content, i, i+2)
			}
		}
	}
	for _, child := range n.Content {
		dropNulls(child)
	}
}

// eachNode visits values; of tables whose entries are all alike only the first few.
func eachNode(n *yaml.Node, path string, visit func(n *yaml.Node, path string)) {
	if n.Kind == yaml.MappingNode {
		most := len(n.Content)
		for _, long := range []string{"fields", "samples", "texts", "subfields", "payment", "other"} {
			if strings.HasSuffix(path, "."+long) {
				most = min(most, 4)
			}
		}
		for i := 0; i+1 < most; i += 2 {
			child := path + "." + n.Content[i].Value
			visit(n.Content[i+1], child)
			eachNode(n.Content[i+1], child, visit)
		}
	}
	if n.Kind == yaml.SequenceNode {
		for i, item := range n.Content[:min(len(n.Content), 2)] {
			child := path + "." + strconv.Itoa(i)
			visit(item, child)
			eachNode(item, child, visit)
		}
	}
}

// plain is a YAML tree as JSON has it.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			out = append(out, plain(item))
		}
		return out
	case yaml.ScalarNode, yaml.DocumentNode, yaml.AliasNode:
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		if err == nil {
			return f
		}
	}
	return n.Value
}
