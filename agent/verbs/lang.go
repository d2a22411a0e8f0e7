package verbs

import "strings"

// Lang is a language that we speak.
type Lang uint8

// The languages. The zero Lang is English.
const (
	English Lang = iota
	Chinese
)

// LangOf reads what LANG and --lang say: "zh", "zh_CN.UTF-8". What is no Chinese is English.
func LangOf(name string) Lang {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	if base == "zh" || strings.HasPrefix(base, "zh_") || strings.HasPrefix(base, "zh-") {
		return Chinese
	}
	return English
}

// String is what --lang takes.
func (l Lang) String() string {
	if l == Chinese {
		return "zh"
	}
	return "en"
}

// Tr is a text of ours in this language. What has no translation stays English; a test keeps
// such from being written.
func (l Lang) Tr(text string) string {
	if l == Chinese {
		for _, catalogue := range []map[string]string{chinese, chineseSentences, chineseHelp} {
			if zh, ok := catalogue[text]; ok {
				return zh
			}
		}
	}
	return text
}

// pairs is a catalogue of texts, each in English and behind it in Chinese.
func pairs(texts ...string) map[string]string {
	catalogue := make(map[string]string, len(texts)/2)
	for i := 0; i+1 < len(texts); i += 2 {
		catalogue[texts[i]] = texts[i+1]
	}
	return catalogue
}
