package iso

var keyTexts = map[string]string{}
