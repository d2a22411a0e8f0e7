package iso_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/iso"
)

// original is what the journal gives back: JSON without the card, and the card unsealed.
func original(t testing.TB, p *iso.Profile, body []byte) iso.Original {
	t.Helper()
	o, err := p.Original(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back iso.Original
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if back.Card, err = iso.ParseCard(o.Card.Seal()); err != nil {
		t.Fatal(err)
	}
	return back
}

func reversal(t testing.TB, p *iso.Profile, o iso.Original, k *iso.Kept, a iso.Attempt) iso.Message {
	t.Helper()
	body, err := p.Reversal(o, k, a)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Reversal rules 3: copied, taken from the answer, reason in 39, link in 90, nothing of the track.
func TestReversalOfASale(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	o := original(t, p, compose(t, p, "0200", sale()))
	want := map[int]string{
		2: "5413330089020011", 3: "000000", 4: "000000001234", 7: "0102030405", 11: "000123",
		12: "110405", 13: "0102", 14: "2912", 22: "021", 25: "00", 32: "10000000987", 33: "987",
		39: "68", 41: "TERM0001", 42: "MERCHANT0000001",
		43: "CORNER SHOP                             ", 49: "840",
		90: "0200" + "000123" + "0102030405" + "10000000987" + "00000000987",
	}
	m := reversal(t, p, o, nil, iso.Attempt{N: 1, Reason: iso.ReasonTimeout})
	if diff := cmp.Diff(want, m.Fields); diff != "" || m.MTI != "0400" {
		t.Errorf("first %s:\n%s", m.MTI, diff)
	}
	kept, err := p.Keep(compose(t, p, "0210", map[int]string{
		2: "5413330089020011", 11: "123", 12: "110406", 37: "000000000042", 38: "A1B2C3", 39: "00",
		41: "TERM0001", 35: "5413330089020011=2912",
	}))
	if err != nil {
		t.Fatal(err)
	}
	wantKept := iso.Kept{Code: "00", RRN: "000000000042", Auth: "A1B2C3", Fields: map[int]string{12: "110406"}}
	if diff := cmp.Diff(wantKept, kept); diff != "" {
		t.Errorf("kept of the approval:\n%s", diff)
	}
	want[37], want[38], want[39], want[7] = "000000000042", "A1B2C3", "22", "1231235959"
	at := time.Date(2029, 12, 31, 23, 59, 59, 0, time.UTC)
	m = reversal(t, p, o, &kept, iso.Attempt{N: 2, Reason: iso.ReasonPowerCut, Time: at})
	if diff := cmp.Diff(want, m.Fields); diff != "" || m.MTI != "0401" {
		t.Errorf("repeat %s:\n%s", m.MTI, diff)
	}
	m = reversal(t, p, o, nil, iso.Attempt{N: 3, Reason: iso.ReasonCancelled, STAN: "000123"})
	if m.Fields[11] != "000123" || m.Fields[39] != "17" {
		t.Errorf("third: %v", m.Fields)
	}
	_, err = p.Reversal(o, nil, iso.Attempt{N: 1, Reason: iso.ReasonTimeout, STAN: "000999"})
	if err == nil {
		t.Error("a trace number of its own was taken, and the host knows the payment by the original's")
	}
}

// A card that showed itself only in track 2: its number goes into field 2 of the reversal, and the
// track stays behind.
func TestReversalOfAChipSale(t *testing.T) {
	p := builtin(t, "iso87-bcd")
	o := original(t, p, compose(t, p, "0200", chipSale()))
	m := reversal(t, p, o, nil, iso.Attempt{N: 1, Reason: iso.ReasonLinkLost})
	want := map[int]string{
		2: "6222021234567890128", 3: "000000", 4: "000000001234", 11: "000124", 14: "2912", 22: "051",
		23: "001", 25: "00", 39: "68", 41: "TERM0001", 42: "MERCHANT0000001", 49: "156",
		55: "95050000008000" + "9F100807010103A0000001" + "9F36020001" + "DF310101",
		90: "0200" + "000124" + "0000000000" + "00000000000" + "00000000000",
	}
	if diff := cmp.Diff(want, m.Fields); diff != "" {
		t.Error(diff)
	}
	if string(m.Header) != "\x60\x00\x03\x00\x00" {
		t.Errorf("header %X", m.Header)
	}
	fields := chipSale()
	delete(fields, 35)
	if o := original(t, p, compose(t, p, "0200", fields)); o.Card.PAN != "6222021234567890128" || o.Card.Expiry != "2912" {
		t.Error("card not found in the chip data")
	}
	fields[55] = "5A0A6222021234567890128F" + "5F2403291231"
	if o := original(t, p, compose(t, p, "0200", fields)); o.Card.PAN != "6222021234567890128" || o.Card.Expiry != "2912" {
		t.Error("card not found in tags 5A and 5F24")
	}
}

// What could not be reversed must not be sent: Original says so.
func TestOriginalRefusesWhatCouldNotBeReversed(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	for what, change := range map[string]map[int]string{
		"a track without a card number": {2: "", 35: "=2912201"},
		"a track that is cut short":     {2: "", 35: "5413330089020011=29"},
		"chip data that is not tags":    {55: "9F3602"},
		"a card number of 5 digits":     {2: "12345"},
		"a card number in the address":  {43: "MR 5413330089020011"},
		"a track in a tag we keep":      {2: "6222021234567890128", 55: "95126222021234567890128D2912201000001234"},
	} {
		fields := sale()
		for n, v := range change {
			if fields[n] = v; v == "" {
				delete(fields, n)
			}
		}
		if _, err := p.Original(compose(t, p, "0200", fields)); err == nil {
			t.Errorf("%s: no error", what)
		} else {
			noSecrets(t, what, err.Error())
		}
	}
	for what, a := range map[string]iso.Attempt{
		"no number": {Reason: iso.ReasonTimeout}, "no reason": {N: 1}, "reason unknown": {N: 1, Reason: 99},
	} {
		if _, err := p.Reversal(original(t, p, compose(t, p, "0200", sale())), nil, a); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := p.Reversal(iso.Original{MTI: "0200"}, nil, iso.Attempt{N: 1, Reason: iso.ReasonTimeout}); err == nil {
		t.Error("an original without a trace number was reversed")
	}
}

// A journal entry with more in it than the profile allows must not get out again.
func TestReversalTakesOnlyWhatTheTemplateNames(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	o := original(t, p, compose(t, p, "0200", sale()))
	o.Fields[35], o.Fields[52], o.Fields[60] = "5413330089020011=2912", "0123456789ABCDEF", "x"
	m := reversal(t, p, o, &iso.Kept{Fields: map[int]string{45: "x", 2: "4111111111111111"}},
		iso.Attempt{N: 1, Reason: iso.ReasonTimeout})
	for _, n := range []int{35, 45, 52, 60} {
		if _, ok := m.Fields[n]; ok {
			t.Errorf("field %d got out", n)
		}
	}
	if m.Fields[2] != "5413330089020011" {
		t.Error("card number is not the original's")
	}
}

func TestAnswersOfOurOwn(t *testing.T) {
	p := builtin(t, "iso87-bcd")
	body := compose(t, p, "0200", chipSale())
	answer, err := p.LocalAnswer(body, p.Codes().Unknown)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Decode(answer)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]string{
		3: "000000", 4: "000000001234", 11: "000124", 25: "00", 39: "68",
		41: "TERM0001", 42: "MERCHANT0000001", 49: "156",
	}
	if diff := cmp.Diff(want, m.Fields); diff != "" || m.MTI != "0210" || string(m.Header) != "\x60\x00\x00\x00\x03" {
		t.Errorf("%s %X\n%s", m.MTI, m.Header, diff)
	}
	answer, err = p.AnswerFrom(body, iso.Kept{
		Code: "00", RRN: "000000000042", Auth: "A1B2C3",
		Fields: map[int]string{12: "110406", 35: "5413330089020011=2912", 4: "000000009999"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = p.Decode(answer); err != nil {
		t.Fatal(err)
	}
	want[37], want[38], want[39], want[12] = "000000000042", "A1B2C3", "00", "110406"
	if diff := cmp.Diff(want, m.Fields); diff != "" {
		t.Error(diff)
	}
	for question, want := range map[string]string{
		"0100": "0110", "0201": "0210", "0220": "0230",
		"0400": "0410", "0401": "0410", "0421": "0430", "0500": "0510", "0800": "0810", "0600": "0610",
		"0210": "", "0810": "", "x": "", "": "",
	} {
		if got := p.AnswerMTI(question); got != want {
			t.Errorf("%s is answered by %q, want %q", question, got, want)
		}
	}
	for what, bad := range map[string]struct {
		body []byte
		code string
	}{
		"an answer":              {answer, "91"},
		"half a question":        {body[:40], "91"},
		"a code of three digits": {body, "911"},
		"no code":                {body, ""},
		"a provisional code":     {body, "09"},
	} {
		if _, err := p.LocalAnswer(bad.body, bad.code); err == nil {
			t.Errorf("%s was answered", what)
		}
	}
}

// Reversal rules 2.3, failure catalogue 7.
func TestWhatAnswersMean(t *testing.T) {
	p := builtin(t, "iso87-ascii")
	for code, want := range map[string]iso.Outcome{
		"00": iso.OutcomeApproved, "10": iso.OutcomeApproved, "11": iso.OutcomeApproved,
		"51": iso.OutcomeDeclined, "91": iso.OutcomeDeclined, "ZZ": iso.OutcomeDeclined,
		"0": iso.OutcomeDeclined, "68": iso.OutcomeAmbiguous, "": iso.OutcomeAmbiguous,
		"09": iso.OutcomeProvisional,
	} {
		if got := p.Outcome(code); got != want {
			t.Errorf("payment answered %q: %v, want %v", code, got, want)
		}
	}
	for code, want := range map[string]iso.Verdict{
		"00": iso.VerdictDone, "25": iso.VerdictDone, "12": iso.VerdictDone,
		"94": iso.VerdictStuck, "21": iso.VerdictStuck, "ZZ": iso.VerdictStuck, "30": iso.VerdictStuck,
		"91": iso.VerdictRetry, "96": iso.VerdictRetry, "68": iso.VerdictRetry, "": iso.VerdictRetry,
		"A0": iso.VerdictSignOn, "77": iso.VerdictSignOn, "99": iso.VerdictSignOn,
	} {
		if got := p.Verdict(code); got != want {
			t.Errorf("reversal answered %q: %v, want %v", code, got, want)
		}
	}
	for r := iso.ReasonTimeout; r <= iso.ReasonAmbiguous; r++ {
		if back, ok := iso.ParseReason(r.String()); !ok || back != r {
			t.Errorf("reason %v comes back as %v", r, back)
		}
	}
}
