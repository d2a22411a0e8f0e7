package hal_test

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/hal"
)

// The conversation that SIGNER.md shows is the one that a signer has.
func TestSignerDocument(t *testing.T) {
	text, err := os.ReadFile("SIGNER.md")
	if err != nil {
		t.Fatal(err)
	}
	var questions, answers []string
	for _, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.Contains(line, `"op":`) && strings.HasPrefix(line, "{"):
			questions = append(questions, line)
		case strings.HasPrefix(line, `{"id":`) && strings.Contains(line, `"ok":true`):
			answers = append(answers, line)
		}
	}
	if len(questions) != 6 || len(answers) != 6 {
		t.Fatalf("%d questions, %d answers, want 6 of each", len(questions), len(answers))
	}
	s, err := hal.ParseSoftKeys([]byte(`{"keys": {
		"b/tmk": {"cipher": "des", "value": "0123456789abcdef"},
		"mak":   {"cipher": "des", "value": "2222222222222222"},
		"kdk":   {"cipher": "aes", "value": "2B7E151628AED2A6ABF7158809CF4F3C"}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	path := socketPath(t)
	serve(t, path, s)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(conn)
	for i, q := range questions {
		if _, err := conn.Write([]byte(q + "\n")); err != nil {
			t.Fatal(err)
		}
		said, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var got, want map[string]any
		if err := json.Unmarshal([]byte(said), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(answers[i]), &want); err != nil {
			t.Fatal(err)
		}
		for _, its := range []string{"name", "keys", "generation"} { // are the module's own
			_, has := got[its]
			_, should := want[its]
			if has != should {
				t.Errorf("%s: %q in the answer: %v, in the document: %v", q, its, has, should)
			}
			delete(got, its)
			delete(want, its)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-document +answer):\n%s", q, diff)
		}
	}
}
