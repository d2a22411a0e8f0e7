// Package slip writes the piece of paper a cardholder takes home when a sale failed: first that it
// is being undone, then that it was. Without it the customer has a debit on the phone and nothing
// in the hand.
//
// It turns facts into text, and text into what an ESC/POS printer takes. It prints nothing itself.
package slip

import (
	"strconv"
	"strings"
	"time"

	"reversald/agent/typeset"
	"reversald/iso"
)

// Event is why there is a slip.
type Event uint8

// The events, in the order a payment sees them.
const (
	Failed   Event = iota + 1 // the outcome is not known, a reversal is owed
	Reversed                  // the host has undone it
	Stuck                     // the host refuses the reversal, a person must look
)

// Slip is what is known of the payment. It holds no card data but the masked number.
type Slip struct {
	Event    Event
	ID       uint64 // the payment's number in the journal
	Merchant string
	Terminal string
	STAN     string
	RRN      string // "": the host gave none
	Card     string // masked, or ""
	Amount   int64  // in the smallest unit of Currency
	Currency string // DE 49: three digits, or ""
	Time     time.Time
	Printed  time.Time
	Contact  string // whom to call, or ""
}

// Lang is the language of a slip.
type Lang uint8

// The languages. Both is Chinese first, then English.
const (
	English Lang = iota
	Chinese
	Both
)

// ParseLang is the language with a name: en, zh or both.
func ParseLang(name string) (Lang, bool) {
	switch name {
	case "en":
		return English, true
	case "zh":
		return Chinese, true
	case "both":
		return Both, true
	}
	return English, false
}

// words are a slip's in one language.
type words struct {
	title                     [Stuck + 1]string
	what                      [Stuck + 1]string
	merchant, terminal, trace string
	rrn, card, amount         string
	sold, printed, journal    string
	contact, keep             string
}

var english = words{
	title: [...]string{
		Failed: "SALE NOT COMPLETED", Reversed: "SALE REVERSED", Stuck: "REVERSAL NOT CONFIRMED",
	},
	what: [...]string{
		Failed: "The result of this sale is not known. It is being reversed automatically. " +
			"Should your card show a debit, it will be undone. Do not pay again with the same " +
			"card until this is done.",
		Reversed: "The bank has undone this sale. A debit shown for it goes back to your card.",
		Stuck: "The bank has not confirmed the reversal. The shop is looking into it. Should " +
			"your card show a debit, keep this slip.",
	},
	merchant: "Merchant", terminal: "Terminal", trace: "Trace no.", rrn: "Reference",
	card: "Card", amount: "Amount", sold: "Time of sale", printed: "Printed", journal: "Case",
	contact: "Questions", keep: "Please keep this slip",
}

var chinese = words{
	title: [...]string{Failed: "交易未完成", Reversed: "冲正成功", Stuck: "冲正未确认"},
	what: [...]string{
		Failed:   "本笔交易结果未知,系统正在自动冲正。如您的卡已被扣款,款项将退回。冲正完成前请勿用同一张卡重复付款。",
		Reversed: "银行已撤销本笔交易。如您的卡已被扣款,款项将退回持卡人账户。",
		Stuck:    "银行尚未确认冲正,商户正在处理。如您的卡已被扣款,请保留此单。",
	},
	merchant: "商户号", terminal: "终端号", trace: "凭证号", rrn: "参考号", card: "卡号",
	amount: "金额", sold: "交易时间", printed: "打印时间", journal: "编号", contact: "联系电话",
	keep: "请妥善保管此单",
}

// WidthMin and WidthMax are the columns a slip may have: 58 mm paper has 32, 80 mm has 48. A
// Chinese character takes two.
const (
	WidthMin = 24
	WidthMax = 64
)

const timeLayout = "2006-01-02 15:04:05"

// Text is the slip as lines of at most width columns, each ended by a newline.
func (s Slip) Text(lang Lang, width int) string {
	width = min(max(width, WidthMin), WidthMax)
	var b strings.Builder
	if lang != English {
		s.write(&b, &chinese, width)
	}
	if lang == Both {
		b.WriteString(strings.Repeat("-", width) + "\n")
	}
	if lang != Chinese {
		s.write(&b, &english, width)
	}
	return b.String()
}

func (s Slip) write(b *strings.Builder, w *words, width int) {
	if s.Event == 0 || s.Event > Stuck {
		return
	}
	title := w.title[s.Event]
	b.WriteString(strings.Repeat(" ", max(0, (width-typeset.Columns(title))/2)) + title + "\n\n")
	for _, line := range [][2]string{
		{w.merchant, s.Merchant},
		{w.terminal, s.Terminal},
		{w.trace, s.STAN},
		{w.rrn, s.RRN},
		{w.card, s.Card},
		{w.amount, iso.Money(s.Amount, s.Currency)},
		{w.sold, stamp(s.Time)},
		{w.printed, stamp(s.Printed)},
		{w.journal, strconv.FormatUint(s.ID, 10)},
		{w.contact, s.Contact},
	} {
		if value := printable(line[1]); value != "" {
			pair(b, line[0], value, width)
		}
	}
	b.WriteByte('\n')
	for _, line := range typeset.Lines(w.what[s.Event], width, 0) {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n" + w.keep + "\n")
}

// pair writes a name on the left and its value on the right, or below where both do not fit.
func pair(b *strings.Builder, name, value string, width int) {
	if gap := width - typeset.Columns(name) - typeset.Columns(value); gap > 0 {
		b.WriteString(name + strings.Repeat(" ", gap) + value + "\n")
		return
	}
	b.WriteString(name + "\n")
	for _, line := range typeset.Lines(value, width-2, 0) {
		b.WriteString("  " + line + "\n")
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(timeLayout)
}

// printable is text without what a printer would take for a command.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}
