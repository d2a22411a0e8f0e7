package iso

import "strings"

// The parts of field 90, original data (ISO 8583:1987, n 42): message type 4, trace number 6,
// transmission date and time 10, acquirer 11, forwarder 11; numbers on the right, zeros in front,
// and zeros throughout for what is not known.
const (
	linkLen          = 42
	linkSTANAt       = 4
	linkSentAt       = 10
	linkAcquirerAt   = 20
	linkInstitutions = 11
	linkSentLen      = 10
)

// linkInputs are the fields of the original that field 90 is made of.
var linkInputs = []int{fieldSent, fieldSTAN, fieldAcquirer, fieldForwarder}

// buildLink makes field 90 out of what was kept of the original.
func buildLink(o Original) string {
	var b strings.Builder
	b.Grow(linkLen)
	b.WriteString(o.MTI)
	for _, part := range []struct{ field, size int }{
		{fieldSTAN, linkSentAt - linkSTANAt},
		{fieldSent, linkSentLen},
		{fieldAcquirer, linkInstitutions},
		{fieldForwarder, linkInstitutions},
	} {
		v := o.Fields[part.field]
		if len(v) > part.size || !digitsOnly(v) {
			v = "" // not known, rather than cut
		}
		b.WriteString(strings.Repeat("0", part.size-len(v)))
		b.WriteString(v)
	}
	return b.String()
}

// linkPart is what field 90 says about field n of the original; "" when it says nothing.
func linkPart(link string, n int) string {
	if len(link) != linkLen || !digitsOnly(link) {
		return ""
	}
	part := ""
	switch n {
	case fieldSTAN:
		part = link[linkSTANAt:linkSentAt]
	case fieldSent:
		part = link[linkSentAt:linkAcquirerAt]
	}
	if strings.Trim(part, "0") == "" {
		return ""
	}
	return part
}
