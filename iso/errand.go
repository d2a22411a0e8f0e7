package iso

import "strings"

// AppAnswer is the code with which the terminal answers an app's own sign-on or echo, because it
// makes its own; "" when the message is neither, or the profile lets them pass to the host. The
// message is one that Glance took.
func (p *Profile) AppAnswer(body []byte) string {
	if p.signOn.app == "" && p.idle.app == "" {
		return ""
	}
	var w walk
	if p.walk(body, &w) != nil {
		return ""
	}
	for i := range p.signOn.forms {
		if p.signOn.app != "" && p.signOn.forms[i].matches(p, &w) {
			return p.signOn.app
		}
	}
	if p.idle.app != "" && p.idle.form.matches(p, &w) {
		return p.idle.app
	}
	return ""
}

// matches says whether a message is of this form: its type, and whatever stands outside of braces.
// A field that is all braces need not be there.
func (f *form) matches(p *Profile, w *walk) bool {
	if mti, _ := p.classify(w.mti); mti != f.mti {
		return false
	}
	for n, text := range f.fields {
		if strings.HasPrefix(text, "{") && strings.Index(text, "}") == len(text)-1 {
			continue
		}
		value, err := p.value(w, n)
		if err != nil || !fits(value, text) {
			return false
		}
	}
	return true
}

// fits says whether value is text with anything in the place of the words in braces.
func fits(value, text string) bool {
	before, rest, braced := strings.Cut(text, "{")
	value, ok := strings.CutPrefix(value, before)
	for ok && braced {
		_, rest, _ = strings.Cut(rest, "}")
		before, rest, braced = strings.Cut(rest, "{")
		if !braced { // the last piece is the end
			return strings.HasSuffix(value, before)
		}
		_, value, ok = strings.Cut(value, before)
	}
	return ok && value == ""
}
