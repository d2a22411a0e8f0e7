package iso_test

import (
	"errors"
	"strings"
	"testing"

	"reversald/iso"
)

func TestClassesOfMessages(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	for mti, want := range map[string]iso.Class{
		"0100": iso.ClassPayment, "0200": iso.ClassPayment, "0220": iso.ClassPayment,
		"0110": iso.ClassPaymentAnswer, "0210": iso.ClassPaymentAnswer, "0230": iso.ClassPaymentAnswer,
		"0400": iso.ClassReversal, "0401": iso.ClassReversal, "0420": iso.ClassReversal,
		"0421": iso.ClassReversal, "0410": iso.ClassReversalAnswer, "0430": iso.ClassReversalAnswer,
		"0500": iso.ClassSettlement, "0510": iso.ClassSettlementAnswer,
		"0800": iso.ClassOther, "0810": iso.ClassOtherAnswer,
		// not in the profile
		"0201": iso.ClassPayment, "0211": iso.ClassPaymentAnswer, "0402": iso.ClassReversal,
		"0600": iso.ClassOther, "0610": iso.ClassOtherAnswer, "0240": iso.ClassOther,
	} {
		g := glance(t, p, compose(t, p, mti, map[int]string{11: "1", 41: "T"}))
		if g.Class != want || g.MTI != mti {
			t.Errorf("%s is a %s, want %s", mti, g.Class, want)
		}
	}
}

// Reversal rules 1.2: inquiries and refunds move no money from the card, advices are repeated.
func TestReversiblePayments(t *testing.T) {
	p := builtin(t, "iso87-bcd")
	for _, c := range []struct {
		mti, processing string
		want            bool
	}{
		{"0200", "000000", true},
		{"0200", "010000", true},
		{"0200", "200000", false},
		{"0200", "310000", false},
		{"0100", "003000", true},
		{"0100", "310000", false},
		{"0220", "000000", false},
		{"0221", "000000", false},
		{"0201", "000000", true},
		{"0201", "310000", false},
		{"0210", "000000", false},
		{"0400", "000000", false},
	} {
		g := glance(t, p, compose(t, p, c.mti, map[int]string{3: c.processing, 11: "1", 41: "T"}))
		if g.Reversible != c.want {
			t.Errorf("%s %s: reversible is %v", c.mti, c.processing, g.Reversible)
		}
	}
}

// A reversal of the app's own leads to the payment: by field 90, else by its trace number.
func TestReversalLeadsToItsPayment(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	payment := glance(t, p, compose(t, p, "0200", map[int]string{11: "123", 41: "TERM01"}))
	none := strings.Repeat("0", 32)
	for what, fields := range map[string]map[int]string{
		"same trace number":  {11: "123", 41: "TERM01"},
		"field 90":           {11: "999", 41: "TERM01", 90: "0200000123" + none},
		"field 90 of zeros":  {11: "123", 41: "TERM01", 90: "0200000000" + none},
		"field 90, advice":   {11: "999", 41: "TERM01", 90: "0200000123" + none, 39: "68"},
		"spaces do not tell": {11: "123", 41: "TERM01  "},
	} {
		g := glance(t, p, compose(t, p, "0420", fields))
		if g.OriginalKey != payment.Key {
			t.Errorf("%s: leads to %q, want %q", what, g.OriginalKey, payment.Key)
		}
	}
	if g := glance(t, p, compose(t, p, "0400", map[int]string{11: "124", 41: "TERM01"})); g.OriginalKey == payment.Key {
		t.Error("another trace number leads to the payment too")
	}
}

// Failure catalogue 4: the answer to the payment must not answer the reversal.
func TestAnswersBelongToTheirQuestions(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	at := map[int]string{11: "123", 41: "TERM01"}
	sale, reversal := glance(t, p, compose(t, p, "0200", at)), glance(t, p, compose(t, p, "0400", at))
	saleAnswer, reversalAnswer := glance(t, p, compose(t, p, "0210", at)), glance(t, p, compose(t, p, "0410", at))
	if sale.Key != saleAnswer.Key || reversal.Key != reversalAnswer.Key {
		t.Error("question and answer have different keys")
	}
	if !saleAnswer.Class.Answers(sale.Class) || !reversalAnswer.Class.Answers(reversal.Class) {
		t.Error("an answer does not answer its question")
	}
	if saleAnswer.Class.Answers(reversal.Class) || reversalAnswer.Class.Answers(sale.Class) ||
		sale.Class.Answers(sale.Class) {
		t.Error("an answer answers another question")
	}
}

func TestNearestQuestionIsExplained(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	look := func(mti, stan, tid string) iso.Glance {
		return glance(t, p, compose(t, p, mti, map[int]string{11: stan, 41: tid}))
	}
	waiting := []iso.Glance{look("0200", "1", "TERM01"), look("0400", "2", "TERM01")}
	for _, c := range []struct {
		arrived iso.Glance
		index   int
		why     string
	}{
		{look("0210", "1", "TERM02"), 0, "field 41 (terminal) differs"},
		{look("0410", "3", "TERM01"), 1, "field 11 (trace number) differs"},
		{look("0210", "2", "TERM01"), 1, "the message type is not its answer"},
		{look("0410", "2", "TERM01"), 1, "nothing differs"},
	} {
		near, ok := p.Nearest(c.arrived, waiting)
		if !ok || near.Index != c.index || near.Why != c.why {
			t.Errorf("%s %s: nearest is %+v, want %d because %s", c.arrived.MTI, c.arrived.Key, near,
				c.index, c.why)
		}
	}
	if _, ok := p.Nearest(waiting[0], nil); ok {
		t.Error("something is near when nothing is waiting")
	}
}

// Errors name the field and the byte, and never a value.
func TestGlanceSaysWhereItWentWrong(t *testing.T) {
	ascii, bcd := builtin(t, "iso87-ascii"), builtin(t, "iso87-bcd")
	for _, c := range []struct {
		p     *iso.Profile
		body  string
		field int
		at    int
		want  string
	}{
		{ascii, "", -1, 0, "is empty"},
		{ascii, "02", 0, 0, "cut short"},
		{ascii, "02x0", 0, 0, "not four digits"},
		{ascii, "02002000", 1, 4, "cut short"},
		{ascii, "020020000000000000x0", 1, 18, "not hexadecimal"},
		{ascii, "0200A000000000000000", 1, 20, "cut short"},
		{ascii, "0200A0000000000000008000000000000000", 1, 36, "third bitmap"},
		{ascii, "0200400000000000000016411111111111111", 2, 20, "cut short"},
		{ascii, "0200400000000000000020411111111111111111111", 2, 20, "longer"},
		{ascii, "020040000000000000001x4111111111111111", 2, 20, "not digits"},
		{ascii, "02002000000000000000000000extra", -1, 26, "after the last field"},
		{ascii, "0200002000000000000012x456", 11, 20, "cannot have"},
		{ascii, "02000020000000000000123456", 41, 26, "is missing"},
		{ascii, "0200A00000000000000000000000000000010000000", 128, 42, "cut short"},
		{bcd, "\x60\x00\x03", -1, 0, "inside the header"},
		{bcd, "\x60\x00\x03\x00\x00\x0A\x00", 0, 5, "not four digits"},
		{bcd, "\x60\x00\x03\x00\x00\x02\x00\x00\x20\x00\x00\x00\x80\x00\x00\x12\x34\x5ATERM0001", 11, 15, "cannot have"},
	} {
		_, err := c.p.Glance([]byte(c.body))
		var fe *iso.FieldError
		if !errors.As(err, &fe) {
			t.Errorf("%q: %v", c.body, err)
			continue
		}
		if fe.Field != c.field || fe.Offset != c.at || !strings.Contains(fe.Problem, c.want) {
			t.Errorf("%q: field %d at %d: %s; want field %d at %d: %s", c.body, fe.Field, fe.Offset,
				fe.Problem, c.field, c.at, c.want)
		}
	}
}

// Some hosts always send both bitmaps.
func TestEmptySecondBitmapIsFine(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	body := []byte("0200" + "8020000000800000" + "0000000000000000" + "000123" + "TERM0001")
	if g := glance(t, p, body); g.Key != "TERM0001/000123" {
		t.Errorf("key %q", g.Key)
	}
	if _, err := p.Decode(body); err != nil {
		t.Error(err)
	}
}

// A key may stand in a log line, and two different messages never share one.
func TestKeysAreClean(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	g := glance(t, p, compose(t, p, "0200", map[int]string{11: "123", 41: "A/\n%\u00c8 B"}))
	if want := "A%2F%0A%25%C3%88%20B/000123"; g.Key != want {
		t.Errorf("key %q, want %q", g.Key, want)
	}
}
