package iso

import (
	"maps"
	"slices"
	"time"
)

// Attempt is one sending of a reversal.
type Attempt struct {
	N      int    // 1 is the first; more gives the profile's repeat MTI
	Reason Reason // why; becomes DE 39 by the profile's reason map
	// Refused: the host answered an earlier sending and did not take it. A profile may have a
	// reason of its own for that.
	Refused bool
	STAN    string    // by StanPolicy: "" for the original's, else one of its own
	Time    time.Time // becomes DE 7 when the profile copies one; zero: the original's DE 7
}

// sentLayout is DE 7 in time.Format's words: MMDDhhmmss.
const sentLayout = "0102150405"

// Reversal words attempt a at taking o back; k is what was kept of the answer, nil if there was
// none. The body is ready for AppendFrame, but where the profile has an authentication code for
// reversals: its field is all zeros then, and MAC.Place fills it. The same arguments give the same
// bytes.
func (p *Profile) Reversal(o Original, k *Kept, a Attempt) ([]byte, error) {
	t := &p.template
	if a.N < 1 {
		return nil, composing(partHeader, "attempts are counted from 1")
	}
	if a.Reason < ReasonTimeout || int(a.Reason) >= len(p.reasons) {
		return nil, composing(t.reasonField, "has no reason to give")
	}
	stan, problem := p.stan.trace(o, a)
	if problem != "" {
		return nil, composing(fieldSTAN, problem)
	}
	fields := p.copied(o)
	maps.Copy(fields, t.set)
	if k != nil {
		answer := k.all()
		for _, n := range t.fromAnswer {
			if v := answer[n]; v != "" {
				fields[n] = v
			}
		}
	}
	if _, ok := fields[fieldSent]; ok && !a.Time.IsZero() {
		fields[fieldSent] = a.Time.Format(sentLayout)
	}
	fields[fieldSTAN] = stan
	if t.reasonField > 0 {
		fields[t.reasonField] = p.reasons[a.Reason]
		if refused := p.reasons[ReasonRefused]; a.Refused && refused != "" {
			fields[t.reasonField] = refused
		}
	}
	for _, l := range t.links {
		if v := l.build(o, k); v != "" {
			fields[l.field] = v
		}
	}
	p.roomForMAC(fields, ClassReversal)
	return p.ComposeWith(o.Header, p.ReversalMTI(a.N), fields)
}

// copied is what the reversal has in common with the original.
func (p *Profile) copied(o Original) map[int]string {
	t := &p.template
	fields := make(map[int]string, len(o.Fields)+8)
	// Only what the template names, though o came from the journal: a profile may have changed.
	for n, v := range o.Fields {
		if slices.Contains(t.copied, n) || n == fieldChip && len(t.chipTags) > 0 {
			fields[n] = v
		}
	}
	if t.pan && o.Card.PAN != "" {
		fields[fieldPAN] = o.Card.PAN.Reveal()
	}
	if t.expiry && o.Card.Expiry != "" {
		fields[fieldExpiry] = o.Card.Expiry
	}
	return fields
}
