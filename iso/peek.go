package iso

// Peek is the least that one has to know of a message to find out whom it concerns and what it
// says. It is a Glance for whoever counts allocations: the texts lie in memory of the caller's.
type Peek struct {
	Class Class
	Key   []byte // as in Glance
	Code  []byte // DE 39; empty when the message has none
}

// Peek looks at one message as Glance does, and allocates nothing: the texts are put into room and
// hold until it is used again. 64 bytes of room are plenty for most profiles; where they are not,
// or where a value has to be escaped, memory is allocated. On error the Peek holds what was read
// before.
func (p *Profile) Peek(body, room []byte) (Peek, error) {
	var v Peek
	var w walk
	err := p.walk(body, &w)
	if err != nil && w.last == 0 {
		return v, err // not even a message type
	}
	_, v.Class = p.classify(w.mti)
	if err != nil {
		return v, err
	}
	buf := room[:0]
	if w.has(fieldCode) {
		if buf, err = p.appendField(buf, &w, fieldCode); err != nil {
			return v, err
		}
	}
	code := len(buf)
	buf, err = p.appendKey(buf, &w, v.Class)
	v.Code, v.Key = buf[:code:code], buf[code:]
	return v, err
}
