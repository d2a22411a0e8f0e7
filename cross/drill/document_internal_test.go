package main

import (
	"strings"
	"testing"
)

const page = "# A visit\n\n    reversald tech keygen\n\n```yaml\nno: screen\n```\n\n```\n" +
	"answer:\nwelcome, li.wei\n```\n\n```\n07:03:41  sent to 127.0.0.1:34640.\n\n> replay 1\n```\n"

// Rule: a document that shows what is on no screen is found out, at its line; what is different
// every time is not compared.
func TestADocumentIsComparedWithTheScreens(t *testing.T) {
	screens := []string{
		"answer:\nanswer:\nwelcome, li.wei  \nprompt>",
		"other\n23:59:59  sent to 127.0.0.1:1.\n\n> replay 1\nprompt>",
	}
	if err := compare("V.md", page, screens); err != nil {
		t.Errorf("what is right: %v", err)
	}
	for change, want := range map[string]string{
		"welcome, li.wei": `V.md:11: "welcome, li.wei" is in the document, on the screen "hello"`,
		"answer:":         `V.md:10: "answer:" is in the document`,
		"> replay 1":      `V.md:17: "> replay 1" is in the document, on the screen "hello"`,
		"sent to":         `V.md:15: "TIME  sent to ADDRESS." is in the document`,
	} {
		var other []string
		for _, s := range screens {
			other = append(other, strings.ReplaceAll(s, change, "hello"))
		}
		if err := compare("V.md", page, other); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("without %s: %v, want %s", change, err, want)
		}
	}
	between := []string{screens[0], strings.Replace(screens[1], "\n\n", "\nnews\n\n", 1)}
	if err := compare("V.md", page, between); err == nil {
		t.Error("a line in between is not found out")
	}
	if err := compare("V.md", "no screens", screens); err == nil {
		t.Error("a document without screens is right")
	}
}
