package verbs

import (
	"maps"

	"reversald/agent/typeset"
)

// ChineseTexts is the catalogue.
func ChineseTexts() map[string]string {
	all := maps.Clone(chinese)
	maps.Copy(all, chineseHelp)
	maps.Copy(all, chineseSentences)
	return all
}

// Columns and Wrap are the layout.
var (
	Columns = typeset.Columns
	Wrap    = typeset.Wrap
	Cut     = typeset.Cut
)
