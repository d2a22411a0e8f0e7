package iso

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// sample is a message in the profile that the profile must be able to read and write.
type sample struct {
	name       string
	at         *yaml.Node
	mti        string
	fields     map[int]string
	wire       string // the whole body in hexadecimal; fields may be left out then
	class      Class  // what it must be; 0 is not said
	reversible bool
	judged     bool // reversible was said
}

// prove sends every sample through everything the profile will be used for.
func (w *draft) prove(p *Profile) {
	proven := false
	for _, s := range w.samples {
		if err := p.proveSample(s); err != nil {
			w.fault(s.at, "sample %q: %v", s.name, err)
		}
		proven = proven || s.reversible
	}
	w.proveForms(p)
	if n := w.at["samples"]; n != nil && !proven {
		w.fault(n, "samples has no payment with reversible: true, so no reversal is proven")
	}
}

// proveSample packs, unpacks, glances at, describes and, if it is a payment, reverses one sample.
func (p *Profile) proveSample(s sample) error {
	body, err := p.sampleBody(s)
	if err != nil {
		return err
	}
	m, err := p.Decode(body)
	if err != nil {
		return fmt.Errorf("reading it back: %w", err)
	}
	for n, v := range s.fields {
		if want, _ := p.elements[n].fit(v); m.Fields[n] != want && p.elements[n].kind != kindTrack {
			return fmt.Errorf("field %d comes back changed", n)
		}
	}
	if _, err := p.ComposeWith(m.Header, m.MTI, m.Fields); err != nil {
		return fmt.Errorf("cannot be written again as it was read: %w", err)
	}
	g, err := p.Glance(body)
	if err != nil {
		return fmt.Errorf("a glance at it: %w", err)
	}
	if s.class != 0 && g.Class != s.class {
		return fmt.Errorf("is a %s, not a %s", g.Class, s.class)
	}
	if s.judged && g.Reversible != s.reversible {
		return fmt.Errorf("reversible is %v", g.Reversible)
	}
	if g.Class.Question() {
		if err := p.proveAnswer(body, g); err != nil {
			return err
		}
	}
	var shown strings.Builder
	for _, line := range p.Describe(body) {
		shown.WriteString(line.String() + "\n")
	}
	if g.Class == ClassPayment {
		kept, err := p.proveReversal(body, g)
		if err != nil {
			return err
		}
		shown.WriteString(kept)
	}
	return m.leaksInto(shown.String())
}

// sampleBody is the sample as bytes.
func (p *Profile) sampleBody(s sample) ([]byte, error) {
	if s.wire == "" {
		return p.Compose(s.mti, s.fields)
	}
	body, err := hex.DecodeString(strings.Join(strings.Fields(s.wire), ""))
	if err != nil {
		return nil, errors.New("wire is not hexadecimal")
	}
	return body, nil
}

// proveAnswer checks that our own answer to a question would be recognised as its answer.
func (p *Profile) proveAnswer(question []byte, g Glance) error {
	body, err := p.LocalAnswer(question, p.provingCode())
	if err != nil {
		return fmt.Errorf("answering it: %w", err)
	}
	answer, err := p.Glance(body)
	if err != nil {
		return fmt.Errorf("a glance at our answer to it: %w", err)
	}
	if answer.Key != g.Key || !answer.Class.Answers(g.Class) {
		return errors.New("our answer does not match it: local_answer.echo lacks a match field")
	}
	return nil
}

// provingCode is a response code to prove answers with.
func (p *Profile) provingCode() string {
	for _, code := range []string{p.local.NotSent, p.local.Unknown, p.local.Refused} {
		if code != "" && p.Outcome(code) != OutcomeProvisional {
			return code
		}
	}
	return strings.Repeat("9", p.elements[fieldCode].count)
}

// proveReversal reverses a payment, first time and again, and finds it again from the reversal. It
// returns everything that would be written down.
func (p *Profile) proveReversal(payment []byte, g Glance) (string, error) {
	o, err := p.Original(payment)
	if err != nil {
		return "", fmt.Errorf("what its reversal needs: %w", err)
	}
	kept, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("what its reversal needs: %w", err)
	}
	for n, mti := range []string{1: p.template.mti, 2: p.template.repeatMTI} {
		if n == 0 {
			continue
		}
		a := Attempt{N: n, Reason: ReasonTimeout}
		if p.stan.For(n) != StanOriginal {
			a.STAN = provingSTAN(o)
		}
		body, err := p.Reversal(o, nil, a)
		if err != nil {
			return "", fmt.Errorf("its reversal: %w", err)
		}
		if err := p.proveMAC(body); err != nil {
			return "", fmt.Errorf("the authentication code of its reversal: %w", err)
		}
		r, err := p.Glance(body)
		switch {
		case err != nil:
			return "", fmt.Errorf("a glance at its reversal: %w", err)
		case r.MTI != mti || r.Class != ClassReversal:
			return "", fmt.Errorf("its reversal is a %s", r.MTI)
		case r.OriginalKey != g.Key:
			return "", errors.New("its reversal does not lead back to it: " +
				"match.payment has a field that neither reversal.copy nor the link has")
		case r.AmountMinor != g.AmountMinor:
			return "", errors.New("its reversal is for another amount")
		}
	}
	return string(kept), nil
}

// provingSTAN is a trace number that o has not.
func provingSTAN(o Original) string {
	if o.Fields[fieldSTAN] == "000001" {
		return "000002"
	}
	return "000001"
}

// proveMAC puts a code into a reversal and finds it again.
func (p *Profile) proveMAC(reversal []byte) error {
	m := p.MAC()
	if !m.Sends(ClassReversal) {
		return nil
	}
	covered, err := m.Cover(reversal)
	if err != nil {
		return err
	}
	code := []byte("\x01\x02\x03\x04\x05\x06\x07\x08")
	placed, err := m.Place(reversal, code)
	if err != nil {
		return err
	}
	again, err := m.Cover(placed)
	switch found, ok := m.Of(placed); {
	case err != nil:
		return err
	case !ok || string(found) != string(code[:p.mac.size]):
		return errors.New("is not found again")
	case string(again) != string(covered):
		return errors.New("is covered by itself")
	}
	return nil
}

// provingValues are values to prove sign-on and echo with.
var provingValues = Values{
	STAN: "000001", Terminal: "TERM0001", Merchant: "MERCHANT0000001", Batch: "000001",
	Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
}

// proveForms makes every message of the sign-on and the echo, and answers it.
func (w *draft) proveForms(p *Profile) {
	prove := func(what string, at *yaml.Node, f form) {
		body, err := f.compose(p, provingValues)
		if err != nil {
			w.fault(at, "%s: %v", what, err)
			return
		}
		g, err := p.Glance(body)
		if err == nil {
			err = p.proveAnswer(body, g)
		}
		if err != nil {
			w.fault(at, "%s: %v", what, err)
		}
	}
	for i, f := range p.signOn.forms {
		prove("sign-on", w.signOn.forms[i].at, f)
	}
	if !p.Echo().None() {
		prove("echo", w.idle.at, p.idle.form)
	}
}

// leaksInto is an error if text shows card data of m.
func (m Message) leaksInto(text string) error {
	secrets := []string{m.Fields[fieldPAN], m.Fields[fieldTrack2], m.Fields[fieldPIN]}
	if card, ok := parseTrack2(m.Fields[fieldTrack2]); ok {
		secrets = append(secrets, card.PAN.Reveal())
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			return errors.New("card data of it would be shown or kept")
		}
	}
	return nil
}
