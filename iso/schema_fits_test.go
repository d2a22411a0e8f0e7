package iso_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// refusal is why a value does not fit a schema, "" if it does: the part of draft 2020-12 that
// Schema uses.
func refusal(s map[string]any, v any) string {
	for keyword, want := range s {
		if why := refusalBy(s, keyword, want, v); why != "" {
			return why
		}
	}
	return ""
}

// patterns are compiled once: there are thousands of profiles to try.
var patterns = map[string]*regexp.Regexp{}

func pattern(text string) *regexp.Regexp {
	if patterns[text] == nil {
		patterns[text] = regexp.MustCompile(text)
	}
	return patterns[text]
}

func refusalBy(s map[string]any, keyword string, want, v any) string {
	switch keyword {
	case "type":
		for _, name := range want.([]any) {
			if isType(name.(string), v) {
				return ""
			}
		}
		return fmt.Sprintf("%v is not %v", v, want)
	case "enum":
		if !slices.Contains(want.([]any), v) {
			return fmt.Sprintf("%v is not one of %v", v, want)
		}
	case "not":
		if refusal(want.(map[string]any), v) == "" {
			return fmt.Sprintf("%v is excluded", v)
		}
	case "pattern":
		if text, ok := v.(string); ok && !pattern(want.(string)).MatchString(text) {
			return fmt.Sprintf("%q does not match %v", text, want)
		}
	case "minimum":
		if f, ok := v.(float64); ok && f < want.(float64) {
			return fmt.Sprintf("%v is under %v", f, want)
		}
	case "maximum":
		if f, ok := v.(float64); ok && f > want.(float64) {
			return fmt.Sprintf("%v is over %v", f, want)
		}
	case "anyOf":
		var reasons []string
		for _, way := range want.([]any) {
			why := refusal(way.(map[string]any), v)
			if why == "" {
				return ""
			}
			reasons = append(reasons, why)
		}
		return strings.Join(reasons, "; ")
	case "items":
		items, _ := v.([]any)
		for _, item := range items {
			if why := refusal(want.(map[string]any), item); why != "" {
				return why
			}
		}
	case "properties", "additionalProperties", "propertyNames", "required":
		return refusalOfKeys(s, keyword, want, v)
	case "$schema", "title", "description":
	default:
		return "unknown keyword " + keyword
	}
	return ""
}

func refusalOfKeys(s map[string]any, keyword string, want, v any) string {
	object, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	properties, _ := s["properties"].(map[string]any)
	if keyword == "required" {
		for _, name := range want.([]any) {
			if _, ok := object[name.(string)]; !ok {
				return fmt.Sprintf("%v is missing", name)
			}
		}
	}
	for key, value := range object {
		known, listed := properties[key].(map[string]any)
		var why string
		switch others, isSchema := want.(map[string]any); {
		case keyword == "properties" && listed:
			why = refusal(known, value)
		case keyword == "additionalProperties" && !listed && isSchema:
			why = refusal(others, value)
		case keyword == "additionalProperties" && !listed:
			why = "unknown key"
		case keyword == "propertyNames":
			why = refusal(want.(map[string]any), key)
		}
		if why != "" {
			return key + ": " + why
		}
	}
	return ""
}

func isType(name string, v any) bool {
	f, number := v.(float64)
	switch name {
	case "null":
		return v == nil
	case "number":
		return number
	case "integer":
		return number && f == math.Trunc(f)
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "object":
		_, ok := v.(map[string]any)
		return ok
	}
	return false
}
