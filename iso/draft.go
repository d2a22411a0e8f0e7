package iso

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// placed is a value and where it was written, for the checks that come after reading.
type placed[T any] struct {
	v  T
	at *yaml.Node
}

// draft is a profile as it was written, before anybody judged it.
type draft struct {
	*desk
	root *yaml.Node
	at   map[string]*yaml.Node // the top-level keys

	name, about placed[string]
	framing     framing
	header      []byte
	headerParts []headerPart
	enc         encoding
	fields      map[int]placed[draftField]
	cvvIn       []placed[int]
	messages    map[Class][]placed[[2]string] // question, answer
	reversible  []placed[draftReversible]
	subfields   map[string]placed[part]
	match       map[Class][]placed[int]
	matchAt     map[Class]*yaml.Node
	anyAmount   bool // in an answer
	outcomes    []placed[draftCode[Outcome]]
	verdicts    []placed[draftCode[Verdict]]
	reversal    draftReversal
	reasons     map[Reason]placed[string]
	keep, echo  []placed[int]
	local       map[string]placed[string]
	texts       map[string]phrase
	frameMax    placed[int]
	hostTimeout time.Duration
	schedule    Schedule
	mac         draftMAC
	signOn      draftSignOn
	idle        draftEcho
	settlement  bool // is held
	samples     []sample
}

// draftField is a field with what it says about its own encoding.
type draftField struct {
	element element
	packing packing       // 0: the profile's
	length  lengthPacking // 0: the profile's
	odd     *oddNibble    // nil: the profile's
}

// draftReversible is one rule of the section reversible, with subfields still by name.
type draftReversible struct {
	rule          reversibleRule
	where, unless []placed[draftPartRule]
}

// draftCode is a response code in one of several lists that must not overlap.
type draftCode[T any] struct {
	code string
	in   T
	list string
}

// draftReversal is the section reversal.
type draftReversal struct {
	at             *yaml.Node
	mti, repeatMTI placed[string]
	copied, drop   []placed[int]
	set            map[int]placed[string]
	fromAnswer     []placed[int]
	reasonField    placed[int]
	chipTags       []placed[string]
	links          []placed[string]
	stan           placed[StanRule]
	repeatSTAN     placed[StanRule]
}

// sectionsNeeded are the keys no profile can do without, after extends.
var sectionsNeeded = []string{
	"name", "framing", "encoding", "fields", "cvv_in", "messages", "reversible", "match", "codes",
	"reversal", "reasons", "answers", "local_answer", "limits", "timers", "samples",
}

// readDraft reads every key. Faults go to the desk.
func readDraft(d *desk, root *yaml.Node) *draft {
	w := &draft{
		desk: d, root: root, at: map[string]*yaml.Node{}, schedule: defaultSchedule,
		subfields: map[string]placed[part]{}, settlement: true,
	}
	sections := keys{
		"name":         func(n *yaml.Node) { w.name = w.placedText(n) },
		"about":        func(n *yaml.Node) { w.about = w.placedText(n) },
		"framing":      w.readFraming,
		"header":       w.readHeader,
		"encoding":     w.readEncoding,
		"fields":       w.readFields,
		"subfields":    w.readSubfields,
		"cvv_in":       func(n *yaml.Node) { w.cvvIn = w.fieldList(n) },
		"messages":     w.readMessages,
		"reversible":   w.readReversible,
		"match":        w.readMatch,
		"codes":        w.readCodes,
		"reversal":     w.readReversal,
		"reasons":      w.readReasons,
		"answers":      w.readAnswers,
		"keep":         func(n *yaml.Node) { w.keep = w.fieldList(n) },
		"local_answer": w.readLocalAnswer,
		"texts":        w.readTexts,
		"limits":       w.readLimits,
		"timers":       w.readTimers,
		"mac":          w.readMAC,
		"sign_on":      w.readSignOn,
		"echo":         w.readEcho,
		"settlement":   w.readSettlement,
		"samples":      w.readSamples,
	}
	w.pairs(root, func(key, value *yaml.Node) { w.at[key.Value] = value })
	w.table(root, sections)
	for _, name := range sectionsNeeded {
		if w.at[name] == nil {
			w.fault(root, "key %q is missing", name)
		}
	}
	return w
}

// lengthKinds are the words for the length in front of a message.
var lengthKinds = map[string]lengthKind{
	"binary2": lengthBinary2, "ascii4": lengthASCII4, "bcd2": lengthBCD2,
}

// framingShorthand spells out framing: binary2.
func framingShorthand(word string) [][2]string {
	if _, ok := lengthKinds[word]; !ok {
		return nil
	}
	return [][2]string{{"length", word}}
}

func (w *draft) readFraming(n *yaml.Node) {
	w.either(n, func(n *yaml.Node) {
		w.table(n, keys{
			"length": func(n *yaml.Node) {
				w.framing.length, _ = choice(w.desk, n, lengthKinds)
			},
			"inclusive": func(n *yaml.Node) { w.framing.inclusive, _ = w.boolean(n) },
		})
	}, func(n *yaml.Node) { _, _ = choice(w.desk, n, lengthKinds) })
}

// encodingShorthand spells out encoding: ascii and encoding: bcd.
func encodingShorthand(word string) [][2]string {
	switch word {
	case "ascii":
		return [][2]string{
			{"mti", "ascii"},
			{"bitmap", "hex"},
			{"numeric", "ascii"},
			{"binary", "hex"},
			{"length", "ascii"},
			{"odd", "right0"},
		}
	case "bcd":
		return [][2]string{
			{"mti", "bcd"},
			{"bitmap", "binary"},
			{"numeric", "bcd"},
			{"binary", "binary"},
			{"length", "bcd"},
			{"odd", "right0"},
		}
	}
	return nil
}

// The words for how things are packed.
var (
	digitPackings  = map[string]packing{"ascii": packChars, "bcd": packBCD}
	bytePackings   = map[string]packing{"hex": packHex, "binary": packRaw}
	lengthPackings = map[string]lengthPacking{
		"ascii": lengthChars, "bcd": lengthBCD, "bcd2": lengthTwoBCD, "binary": lengthBinary,
	}
	oddNibbles = map[string]oddNibble{
		"left0": {left: true}, "right0": {}, "rightF": {fill: 15},
	}
)

// encodingWords are the words that stand for a whole encoding.
var encodingWords = map[string]bool{"ascii": true, "bcd": true}

func (w *draft) readEncoding(n *yaml.Node) {
	w.either(n, w.readEncodingTable, func(n *yaml.Node) {
		_, _ = choice(w.desk, n, encodingWords) // a word is spelled out already, if there is one
	})
}

func (w *draft) readEncodingTable(n *yaml.Node) {
	w.table(n, keys{
		"mti":     func(n *yaml.Node) { w.enc.mti, _ = choice(w.desk, n, digitPackings) },
		"bitmap":  func(n *yaml.Node) { w.enc.bitmap, _ = choice(w.desk, n, bytePackings) },
		"numeric": func(n *yaml.Node) { w.enc.numeric, _ = choice(w.desk, n, digitPackings) },
		"binary":  func(n *yaml.Node) { w.enc.binary, _ = choice(w.desk, n, bytePackings) },
		"length":  func(n *yaml.Node) { w.enc.length, _ = choice(w.desk, n, lengthPackings) },
		"odd":     func(n *yaml.Node) { w.enc.odd, _ = choice(w.desk, n, oddNibbles) },
	})
	for _, key := range []string{"mti", "bitmap", "numeric", "binary", "length", "odd"} {
		if pairIndex(n, key) < 0 {
			w.fault(n, "encoding wants the key %q too, or just ascii or bcd", key)
		}
	}
}

// placedText reads text and remembers where.
func (w *draft) placedText(n *yaml.Node) placed[string] {
	v, _ := w.text(n)
	return placed[string]{v, n}
}

// fieldList reads a list of field numbers.
func (w *draft) fieldList(n *yaml.Node) []placed[int] {
	var out []placed[int]
	w.list(n, func(item *yaml.Node) {
		if v, ok := w.fieldNumber(item); ok {
			for _, other := range out {
				if other.v == v {
					w.fault(item, "field %d is listed twice", v)
				}
			}
			out = append(out, placed[int]{v, item})
		}
	})
	return out
}

// codeList reads a list of response codes.
func codeList[T any](w *draft, n *yaml.Node, list string, in T) []placed[draftCode[T]] {
	var out []placed[draftCode[T]]
	w.list(n, func(item *yaml.Node) {
		if code, ok := w.text(item); ok {
			out = append(out, placed[draftCode[T]]{draftCode[T]{code, in, list}, item})
		}
	})
	return out
}
