package iso

// LocalAnswer answers a question in the host's place: the answer's MTI, addresses swapped, the
// fields the profile echoes, and response code code.
func (p *Profile) LocalAnswer(question []byte, code string) ([]byte, error) { return nil, errNotYet }

// AnswerFrom gives the outcome on file to a question that is asked again.
func (p *Profile) AnswerFrom(question []byte, k Kept) ([]byte, error) { return nil, errNotYet }

// AnswerHeader is the header of an answer to a message with header: the same with its addresses
// swapped. Empty in, empty out.
func (p *Profile) AnswerHeader(header []byte) []byte { return nil }

// AnswerMTI is the message type that answers mti; "" when mti asks for nothing.
func (p *Profile) AnswerMTI(mti string) string { return "" }
