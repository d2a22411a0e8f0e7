package iso

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

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
		return nil, fmt.Errorf("wire is not hexadecimal")
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
		return fmt.Errorf("our answer does not match it: local_answer.echo lacks a match field")
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
		body, err := p.Reversal(o, nil, Attempt{N: n, Reason: ReasonTimeout})
		if err != nil {
			return "", fmt.Errorf("its reversal: %w", err)
		}
		r, err := p.Glance(body)
		switch {
		case err != nil:
			return "", fmt.Errorf("a glance at its reversal: %w", err)
		case r.MTI != mti || r.Class != ClassReversal:
			return "", fmt.Errorf("its reversal is a %s", r.MTI)
		case r.OriginalKey != g.Key:
			return "", fmt.Errorf("its reversal does not lead back to it: " +
				"match.payment has a field that reversal.copy has not")
		case r.AmountMinor != g.AmountMinor:
			return "", fmt.Errorf("its reversal is for another amount")
		}
	}
	return string(kept), nil
}

// leaksInto is an error if text shows card data of m.
func (m Message) leaksInto(text string) error {
	secrets := []string{m.Fields[fieldPAN], m.Fields[fieldTrack2], m.Fields[fieldPIN]}
	if card, ok := parseTrack2(m.Fields[fieldTrack2]); ok {
		secrets = append(secrets, card.PAN.Reveal())
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			return fmt.Errorf("card data of it would be shown or kept")
		}
	}
	return nil
}
