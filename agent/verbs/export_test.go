package verbs

import "maps"

// ChineseTexts is the catalogue.
func ChineseTexts() map[string]string {
	all := maps.Clone(chinese)
	maps.Copy(all, chineseHelp)
	maps.Copy(all, chineseSentences)
	return all
}

// Columns and Wrap are the layout.
var (
	Columns = columns
	Wrap    = wrap
	Cut     = cut
)
