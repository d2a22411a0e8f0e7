package iso

// Original is what the journal keeps of a request so that it can be reversed after a power cut: the
// fields the profile's reversal needs and no others. It cannot hold track data, a PIN block or a
// card verification value, and its JSON form has no Card.
type Original struct {
	MTI    string
	Header []byte         // TPDU and the like, as the request had them
	Fields map[int]string // by field number; binary as upper-case hex; never 2 and 14
	Card   Card           `json:"-"`
}

// Kept is what the journal keeps of an answer: enough to reverse it, and to give it again.
type Kept struct {
	Code   string         // DE 39
	RRN    string         // DE 37
	Auth   string         // DE 38
	Fields map[int]string // what the profile keeps besides
}

// Original takes out of a request what its reversal needs. An error (*FieldError) means that the
// request could not be reversed, so it must not be sent.
func (p *Profile) Original(body []byte) (Original, error) { return Original{}, errNotYet }

// Keep takes out of an answer what the profile keeps of it.
func (p *Profile) Keep(answer []byte) (Kept, error) { return Kept{}, errNotYet }
