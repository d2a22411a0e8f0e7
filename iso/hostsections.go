package iso

import (
	"math"
	"time"

	"go.yaml.in/yaml/v3"
)

// The sections of a profile that are about the host as a whole: authentication, sign-on, echo,
// settlement, limits and timers.

// draftMAC is the section mac.
type draftMAC struct {
	at        *yaml.Node
	algorithm string
	field     placed[int] // 0: the last
	size      int
	on        []placed[Class]
	cover     coverage
	fields    []placed[int]
	noRepeat  bool
	answers   answersMAC
	codes     []placed[string]
}

// draftSignOn is the section sign_on.
type draftSignOn struct {
	at          *yaml.Node
	forms       []draftForm
	linkUp      bool
	before      bool
	codes, done []placed[string]
	requests    []int
	headerAt    *yaml.Node
	keys        placed[int]
	batch       placed[string]
	date, clock placed[int]
	app         placed[string]
}

// draftEcho is the section echo.
type draftEcho struct {
	at   *yaml.Node
	form draftForm
	idle time.Duration
	app  placed[string]
}

// draftForm is a message with words in braces.
type draftForm struct {
	at     *yaml.Node
	mti    string
	fields []placed[[2]string] // number, value
}

// defaultSchedule is in force where a profile says nothing. Our choice: three quick sendings as
// UnionPay terminals make them, then for ever, slower.
var defaultSchedule = Schedule{
	Quick: 3, RetryMin: time.Minute, RetryMax: 30 * time.Minute, OverdueAfter: 24 * time.Hour,
	OverdueSends: 50, Provisional: 30 * time.Second,
}

// macFieldWords are the words for the field of the code.
var macFieldWords = map[string]int{"64": 64, "128": 128, "last": 0}

// The words of the section mac.
var (
	coverWords  = map[string]coverage{"message": coverMessage, "all": coverAll}
	coverPieces = map[string]int{"mti": partMTI, "bitmap": partBitmap}
	repeatWords = map[string]bool{"covered": false, "excluded": true}
	answerWords = map[string]answersMAC{
		"all": answersAll, "approved": answersApproved, "none": answersNone,
	}
	questionWords = map[string]Class{
		"payment": ClassPayment, "reversal": ClassReversal, "settlement": ClassSettlement,
		"other": ClassOther,
	}
)

func (w *draft) readMAC(n *yaml.Node) {
	m := &w.mac
	m.at, m.size, m.cover, m.answers = n, 8, coverMessage, answersAll
	algorithms := map[string]string{}
	for name := range macAlgorithms {
		algorithms[name] = name
	}
	w.table(n, keys{
		"algorithm": func(n *yaml.Node) { m.algorithm, _ = choice(w.desk, n, algorithms) },
		"field": func(n *yaml.Node) {
			v, _ := choice(w.desk, n, macFieldWords)
			m.field = placed[int]{v, n}
		},
		"bytes": func(n *yaml.Node) { m.size, _ = w.number(n, 2, 8) },
		"on": func(n *yaml.Node) {
			w.list(n, func(item *yaml.Node) {
				if c, ok := choice(w.desk, item, questionWords); ok {
					m.on = append(m.on, placed[Class]{c, item})
				}
			})
		},
		"cover": func(n *yaml.Node) {
			w.listOr(n, func(item *yaml.Node) {
				m.cover = coverFields
				m.fields = append(m.fields, placed[int]{w.coverPiece(item), item})
			}, func(n *yaml.Node) { m.cover, _ = choice(w.desk, n, coverWords) })
		},
		"repeat_bit": func(n *yaml.Node) { m.noRepeat, _ = choice(w.desk, n, repeatWords) },
		"answers": func(n *yaml.Node) {
			w.listOr(n, func(item *yaml.Node) {
				m.answers = answersListed
				m.codes = append(m.codes, w.placedText(item))
			}, func(n *yaml.Node) { m.answers, _ = choice(w.desk, n, answerWords) })
		},
	})
}

// coverPiece reads mti, bitmap or a field number.
func (w *draft) coverPiece(n *yaml.Node) int {
	if s := w.shapes[n]; s != nil {
		s.Type, s.Pattern = types{"string", "integer"}, macPieceName
		return 0
	}
	if v, ok := coverPieces[n.Value]; ok {
		return v
	}
	v, _ := w.fieldNumber(n)
	return v
}

func (w *draft) readSignOn(n *yaml.Node) {
	s := &w.signOn
	s.at = n
	words := map[string]*bool{"link_up": &s.linkUp, "before_reversals": &s.before}
	w.table(n, keys{
		"messages": func(n *yaml.Node) {
			w.list(n, func(item *yaml.Node) {
				f := draftForm{at: item}
				w.table(item, w.formKeys(&f))
				s.forms = append(s.forms, f)
			})
		},
		"when": func(n *yaml.Node) {
			w.list(n, func(item *yaml.Node) {
				if at, ok := choice(w.desk, item, words); ok {
					*at = true
				}
			})
		},
		"codes": func(n *yaml.Node) { s.codes = w.textList(n) },
		"done":  func(n *yaml.Node) { s.done = w.textList(n) },
		"header": func(n *yaml.Node) {
			s.headerAt = n
			w.list(n, func(item *yaml.Node) {
				if v, ok := w.number(item, 1, 15); ok {
					s.requests = append(s.requests, v)
				}
			})
		},
		"keys":  func(n *yaml.Node) { s.keys = w.placedField(n) },
		"batch": func(n *yaml.Node) { s.batch = placed[string]{w.partOrField(n), n} },
		"date":  func(n *yaml.Node) { s.date = w.placedField(n) },
		"time":  func(n *yaml.Node) { s.clock = w.placedField(n) },
		"app":   func(n *yaml.Node) { s.app = w.placedText(n) },
	})
}

// formKeys are the keys of a message with words in braces.
func (w *draft) formKeys(f *draftForm) keys {
	return keys{
		"mti": func(n *yaml.Node) { f.mti, _ = w.digits(n, 4) },
		"fields": func(n *yaml.Node) {
			w.pairs(n, func(key, value *yaml.Node) {
				_, ok := w.fieldNumber(key)
				text, okText := w.text(value)
				if ok && okText {
					pair := [2]string{key.Value, text}
					f.fields = append(f.fields, placed[[2]string]{pair, value})
				}
			})
		},
	}
}

func (w *draft) readEcho(n *yaml.Node) {
	w.idle.at, w.idle.form.at = n, n
	known := w.formKeys(&w.idle.form)
	known["idle"] = func(n *yaml.Node) {
		w.idle.idle = w.duration(n, time.Second, 24*time.Hour)
	}
	known["app"] = func(n *yaml.Node) { w.idle.app = w.placedText(n) }
	w.table(n, known)
}

func (w *draft) readSettlement(n *yaml.Node) {
	w.table(n, keys{"hold": func(n *yaml.Node) { w.settlement, _ = w.boolean(n) }})
}

func (w *draft) readLimits(n *yaml.Node) {
	s := &w.schedule
	w.table(n, keys{
		"frame_bytes_max": func(n *yaml.Node) {
			w.frameMax.at = n
			w.frameMax.v, _ = w.number(n, 64, math.MaxUint16)
		},
		"quick_sends":   func(n *yaml.Node) { s.Quick, _ = w.number(n, 1, 20) },
		"overdue_sends": func(n *yaml.Node) { s.OverdueSends, _ = w.number(n, 1, 100_000) },
	})
}

// The host may take this long; under the least nothing gets an answer over a modem, and over the
// most the cardholder has left. Our choice: the rules seen in the field run from 20 to 90 seconds.
const (
	hostTimeoutMin = 100 * time.Millisecond // rehearsals
	hostTimeoutMax = 5 * time.Minute
	retryMax       = 24 * time.Hour
	overdueMax     = 90 * 24 * time.Hour
)

func (w *draft) readTimers(n *yaml.Node) {
	s := &w.schedule
	w.table(n, keys{
		"host_timeout": func(n *yaml.Node) {
			w.hostTimeout = w.duration(n, hostTimeoutMin, hostTimeoutMax)
		},
		"provisional": func(n *yaml.Node) {
			s.Provisional = w.duration(n, hostTimeoutMin, hostTimeoutMax)
		},
		"retry_min": func(n *yaml.Node) {
			s.RetryMin = w.duration(n, hostTimeoutMin, retryMax)
		},
		"retry_max": func(n *yaml.Node) {
			s.RetryMax = w.duration(n, hostTimeoutMin, retryMax)
		},
		"overdue_after": func(n *yaml.Node) {
			s.OverdueAfter = w.duration(n, time.Minute, overdueMax)
		},
	})
	if s.RetryMin > s.RetryMax {
		w.fault(n, "retry_min is longer than retry_max")
	}
}

// textList reads a list of texts.
func (w *draft) textList(n *yaml.Node) []placed[string] {
	var out []placed[string]
	w.list(n, func(item *yaml.Node) { out = append(out, w.placedText(item)) })
	return out
}

// placedField reads a field number and remembers where.
func (w *draft) placedField(n *yaml.Node) placed[int] {
	v, _ := w.fieldNumber(n)
	return placed[int]{v, n}
}
