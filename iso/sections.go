package iso

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The sections of a profile that are about payments and reversals.

func (w *draft) readFields(n *yaml.Node) {
	w.fields = map[int]placed[draftField]{}
	w.pairs(n, func(key, value *yaml.Node) {
		number, ok := w.fieldNumber(key)
		var f draftField
		w.either(value, func(value *yaml.Node) {
			w.table(value, keys{
				"format": func(n *yaml.Node) { f.element = w.format(n) },
				"name":   func(n *yaml.Node) { f.element.name, _ = w.text(n) },
				"packed": func(n *yaml.Node) { f.packing, _ = choice(w.desk, n, fieldPackings) },
				"length": func(n *yaml.Node) { f.length, _ = choice(w.desk, n, lengthPackings) },
				"odd": func(n *yaml.Node) {
					if odd, ok := choice(w.desk, n, oddNibbles); ok {
						f.odd = &odd
					}
				},
			})
			if pairIndex(value, "format") < 0 {
				w.fault(value, "field %d has no format", number)
			}
		}, func(value *yaml.Node) { f.element = w.format(value) })
		if ok {
			w.fields[number] = placed[draftField]{f, value}
		}
	})
}

// fieldPackings are the words for how one field is packed.
var fieldPackings = map[string]packing{
	"ascii": packChars, "bcd": packBCD, "hex": packHex, "binary": packRaw,
}

// format reads "n..19  card number": a format, and a name behind it if there is one.
func (w *draft) format(n *yaml.Node) element {
	text, ok := w.text(n)
	if !ok {
		return element{}
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		words = []string{""}
	}
	e, err := parseFormat(words[0])
	if err != nil {
		w.fault(n, "%v", err)
		return element{}
	}
	e.name = strings.Join(words[1:], " ")
	return e
}

// questionClasses are the sections that list message types and match fields.
var questionClasses = []Class{ClassPayment, ClassReversal, ClassSettlement, ClassOther}

func (w *draft) readMessages(n *yaml.Node) {
	w.messages = map[Class][]placed[[2]string]{}
	sections := keys{}
	for _, class := range questionClasses {
		sections[class.String()] = func(n *yaml.Node) {
			w.pairs(n, func(question, answer *yaml.Node) {
				w.mtiKey(question)
				text, ok := w.text(answer)
				if ok {
					pair := placed[[2]string]{[2]string{question.Value, text}, question}
					w.messages[class] = append(w.messages[class], pair)
				}
			})
		}
	}
	w.table(n, sections)
}

func (w *draft) readReversible(n *yaml.Node) {
	w.list(n, func(item *yaml.Node) {
		r := placed[draftReversible]{at: item}
		w.table(item, keys{
			"mti":    func(n *yaml.Node) { r.v.rule.mti, _ = w.text(n) },
			"except": func(n *yaml.Node) { r.v.rule.except = w.processingCodes(n) },
			"only":   func(n *yaml.Node) { r.v.rule.only = w.processingCodes(n) },
			"where":  func(n *yaml.Node) { r.v.where = w.partRules(n) },
			"unless": func(n *yaml.Node) { r.v.unless = w.partRules(n) },
		})
		w.reversible = append(w.reversible, r)
	})
}

// processingCodes reads beginnings of field 3.
func (w *draft) processingCodes(n *yaml.Node) []string {
	var out []string
	w.list(n, func(item *yaml.Node) {
		prefix, ok := w.text(item)
		if ok && (!digitsOnly(prefix) || len(prefix) > 6) {
			w.fault(item, "wants the first 1 to 6 digits of a processing code")
			return
		}
		out = append(out, prefix)
	})
	return out
}

func (w *draft) readMatch(n *yaml.Node) {
	w.match, w.matchAt = map[Class][]placed[int]{}, map[Class]*yaml.Node{}
	sections := keys{}
	for _, class := range questionClasses {
		sections[class.String()] = func(n *yaml.Node) {
			w.match[class], w.matchAt[class] = w.fieldList(n), n
		}
	}
	sections["amount"] = func(n *yaml.Node) { w.anyAmount, _ = choice(w.desk, n, amountWords) }
	w.table(n, sections)
}

// amountWords say whether an answer may be over any amount.
var amountWords = map[string]bool{"exact": false, "any": true}

func (w *draft) readCodes(n *yaml.Node) {
	sections := keys{}
	for _, o := range []Outcome{OutcomeApproved, OutcomeAmbiguous, OutcomeProvisional} {
		sections[o.String()] = func(n *yaml.Node) {
			w.outcomes = append(w.outcomes, codeList(w, n, o.String(), o)...)
		}
	}
	w.table(n, sections)
}

func (w *draft) readAnswers(n *yaml.Node) {
	sections := keys{}
	for _, v := range []Verdict{VerdictDone, VerdictRetry, VerdictSignOn, VerdictStuck} {
		sections[v.String()] = func(n *yaml.Node) {
			w.verdicts = append(w.verdicts, codeList(w, n, v.String(), v)...)
		}
	}
	w.table(n, sections)
}

func (w *draft) readReversal(n *yaml.Node) {
	r := &w.reversal
	r.at = n
	w.table(n, keys{
		"mti":         func(n *yaml.Node) { r.mti = w.placedText(n) },
		"repeat_mti":  func(n *yaml.Node) { r.repeatMTI = w.placedText(n) },
		"copy":        func(n *yaml.Node) { r.copied = w.fieldList(n) },
		"drop":        func(n *yaml.Node) { r.drop = w.fieldList(n) },
		"from_answer": func(n *yaml.Node) { r.fromAnswer = w.fieldList(n) },
		"reason_field": func(n *yaml.Node) {
			r.reasonField = placed[int]{w.fieldOrNone(n), n}
		},
		"link":        w.readLink,
		"stan":        func(n *yaml.Node) { r.stan = w.stanRule(n, stanWords) },
		"repeat_stan": func(n *yaml.Node) { r.repeatSTAN = w.stanRule(n, repeatSTANWords) },
		"chip_tags": func(n *yaml.Node) {
			w.list(n, func(item *yaml.Node) { r.chipTags = append(r.chipTags, w.placedText(item)) })
		},
		"set": func(n *yaml.Node) {
			r.set = map[int]placed[string]{}
			w.pairs(n, func(key, value *yaml.Node) {
				number, ok := w.fieldNumber(key)
				text, okText := w.text(value)
				if ok && okText {
					r.set[number] = placed[string]{text, key}
				}
			})
		},
	})
}

// linkWords are the links a reversal can have.
var linkWords = func() map[string]string {
	words := map[string]string{"none": "none"}
	for name := range links {
		words[name] = name
	}
	return words
}()

func (w *draft) readLink(n *yaml.Node) {
	one := func(n *yaml.Node) {
		if name, ok := choice(w.desk, n, linkWords); ok {
			w.reversal.links = append(w.reversal.links, placed[string]{name, n})
		}
	}
	w.listOr(n, one, one)
}

// The words for where the trace number of a reversal comes from.
var (
	stanWords       = map[string]StanRule{"original": StanOriginal, "new": StanNew}
	repeatSTANWords = map[string]StanRule{
		"original": StanOriginal, "new": StanNew, "same": StanSame,
	}
)

func (w *draft) stanRule(n *yaml.Node, words map[string]StanRule) placed[StanRule] {
	v, _ := choice(w.desk, n, words)
	return placed[StanRule]{v, n}
}

func (w *draft) readReasons(n *yaml.Node) {
	w.reasons = map[Reason]placed[string]{}
	sections := keys{}
	for r := ReasonTimeout; r <= ReasonRefused; r++ {
		sections[r.String()] = func(n *yaml.Node) { w.reasons[r] = w.placedText(n) }
	}
	w.table(n, sections)
	if w.reversal.reasonField.at != nil && w.reversal.reasonField.v == 0 {
		return // this host is not told
	}
	// Without one for ReasonRefused a repeat says what the first sending said.
	for r := ReasonTimeout; r <= ReasonAmbiguous; r++ {
		if pairIndex(n, r.String()) < 0 {
			w.fault(n, "reasons has no code for %q", r)
		}
	}
}

// localNames are the codes in the section local_answer, by the name they have there.
var localNames = []string{"unknown", "not_sent", "busy", "refused", "owed", "reversed"}

// guardNames are those a profile may leave out: what a guard rail refuses is then "refused".
var guardNames = []string{"amount", "card", "expired", "repeated", "irreversible"}

func (w *draft) readLocalAnswer(n *yaml.Node) {
	w.local = map[string]placed[string]{}
	sections := keys{"echo": func(n *yaml.Node) { w.echo = w.fieldList(n) }}
	for _, name := range slices.Concat(localNames, guardNames) {
		sections[name] = func(n *yaml.Node) { w.local[name] = w.placedText(n) }
	}
	w.table(n, sections)
	for _, name := range localNames {
		if pairIndex(n, name) < 0 {
			w.fault(n, "local_answer has no code for %q; close means to hang up instead", name)
		}
	}
}

func (w *draft) readTexts(n *yaml.Node) {
	w.texts = map[string]phrase{}
	w.pairs(n, func(code, value *yaml.Node) {
		var ph phrase
		w.codeKey(code)
		w.table(value, keys{
			"en":     func(n *yaml.Node) { ph.en, _ = w.text(n) },
			"zh":     func(n *yaml.Node) { ph.zh, _ = w.text(n) },
			"action": func(n *yaml.Node) { ph.action, _ = choice(w.desk, n, actionsByName) },
		})
		if ph.en == "" || ph.zh == "" || ph.action == 0 {
			w.fault(code, "a text has en, zh and action")
		}
		w.texts[code.Value] = ph
	})
}

func (w *draft) readSamples(n *yaml.Node) {
	w.pairs(n, func(key, value *yaml.Node) {
		s := sample{name: key.Value, at: key, fields: map[int]string{}}
		w.table(value, keys{
			"mti":        func(n *yaml.Node) { s.mti, _ = w.text(n) },
			"wire":       func(n *yaml.Node) { s.wire, _ = w.text(n) },
			"class":      func(n *yaml.Node) { s.class, _ = choice(w.desk, n, classesByName) },
			"reversible": func(n *yaml.Node) { s.reversible, s.judged = w.boolean(n) },
			"fields": func(n *yaml.Node) {
				w.pairs(n, func(key, value *yaml.Node) {
					number, ok := w.fieldNumber(key)
					text, okText := w.text(value)
					if ok && okText {
						s.fields[number] = text
					}
				})
			},
		})
		w.samples = append(w.samples, s)
	})
}

// classesByName are the classes as samples name them.
var classesByName = func() map[string]Class {
	names := map[string]Class{}
	for c := ClassPayment; c <= ClassOtherAnswer; c++ {
		names[c.String()] = c
	}
	return names
}()
