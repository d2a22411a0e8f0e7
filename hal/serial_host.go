package hal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// SerialScheme begins the address of a host at the end of a serial line.
const SerialScheme = "serial:"

// SerialHost dials a host over a serial line.
//
// With an envelope a frame goes as STX, two bytes of packed decimal length, the body, ETX and LRC,
// which is the exclusive or of everything from the length to ETX. The length and the body are the
// frame of a profile with framing bcd2.
//
// A request is never sent twice. A NAK proves that the host did not take the frame, so Resend may
// allow to send it again then, and only then; an ACK that does not come proves nothing. With ENQ a
// host that is not there is found out before the first byte of a frame leaves.
//
//nolint:recvcheck // read into place by its options, then used as a value
type SerialHost struct {
	Serial   Serial
	Envelope bool
	ACK      bool          // each frame is answered with ACK, or NAK where its LRC is wrong
	ENQ      bool          // each frame is preceded by ENQ, which the other side answers with ACK
	Resend   int           // times a frame is sent again after a NAK; 0 to serialResendMax
	Patience time.Duration // for ACK and NAK; 0 = 3 s

	// Called: the other side is an app that calls us. Its ENQ is answered where ENQ is on, and none
	// is sent; and a frame of ours that gets no ACK where ACK is on has not arrived.
	Called bool
	// FrameTime is how long one frame may take in its envelope, from its first byte to its last;
	// 0 = no limit but that of the gaps.
	FrameTime time.Duration
}

var _ Dialer = SerialHost{}

const (
	serialPatience  = 3 * time.Second // the usual of the terminals' dialogues
	serialKnock     = time.Second     // for the answer to ENQ, which nobody has to think about
	serialResendMax = 3               // likewise
	serialAsks      = 3               // ENQs without an answer, after which nobody is there
)

// ErrSerialHost is wrapped when the address of a serial host makes no sense.
var ErrSerialHost = errors.New("is no serial host: want " +
	"serial:/dev/ttyS1?baud=9600&mode=8N1&envelope=stx|none&ack=yes|no&enq=yes|no&resend=0..3")

// ParseSerialHost reads an address. Without options it is 9600 8N1 with an envelope and without
// ACK, NAK and ENQ.
func ParseSerialHost(address string) (h SerialHost, device string, err error) {
	rest, ok := strings.CutPrefix(address, SerialScheme)
	device, query, _ := strings.Cut(rest, "?")
	bad := func(what string) (SerialHost, string, error) {
		return SerialHost{}, "", fmt.Errorf("%.120q (%s) %w", address, what, ErrSerialHost)
	}
	if !ok || !strings.HasPrefix(device, "/") {
		return bad("device")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return bad("options")
	}
	h = SerialHost{Serial: Serial{Baud: 9600}, Envelope: true}
	for key, values := range options {
		if len(values) != 1 || !h.option(key, values[0]) {
			return bad(key)
		}
	}
	if !h.Envelope && (h.ACK || h.ENQ) || h.Resend > 0 && !h.ACK {
		return bad("ack, enq or resend without what they need")
	}
	if _, err := h.Serial.withDefaults(); err != nil {
		return bad(err.Error())
	}
	return h, device, nil
}

func (h *SerialHost) option(key, value string) (good bool) {
	yes, known := map[string]bool{"yes": true, "stx": true, "no": false, "none": false}[value]
	var err error
	switch key {
	case "baud":
		h.Serial.Baud, err = strconv.Atoi(value)
		return err == nil && h.Serial.Baud > 0
	case "mode":
		return h.mode(value)
	case "envelope":
		h.Envelope = yes
		return known && (value == "stx" || value == "none")
	case "ack":
		h.ACK = yes
		return known && (value == "yes" || value == "no")
	case "enq":
		h.ENQ = yes
		return known && (value == "yes" || value == "no")
	case "resend":
		h.Resend, err = strconv.Atoi(value)
		return err == nil && h.Resend >= 0 && h.Resend <= serialResendMax
	}
	return false
}

// mode reads data bits, parity and stop bits, such as 8N1.
func (h *SerialHost) mode(text string) bool {
	if len(text) != len("8N1") {
		return false
	}
	parity, known := map[byte]Parity{'N': ParityNone, 'O': ParityOdd, 'E': ParityEven}[text[1]]
	h.Serial.DataBits, h.Serial.StopBits = int(text[0]-'0'), int(text[2]-'0')
	h.Serial.Parity = parity
	return known && text[0] >= '5' && text[0] <= '8' && (text[2] == '1' || text[2] == '2')
}

// Dial implements Dialer. With ENQ there is a line only if the host answers.
func (h SerialHost) Dial(ctx context.Context, device string) (Link, error) {
	port, err := h.Serial.Open(ctx, device)
	if err != nil {
		return nil, err
	}
	if !h.Envelope {
		return port, nil
	}
	if h.Patience == 0 {
		h.Patience = serialPatience
	}
	l := newSerialLink(h, port)
	if h.ENQ && !h.Called {
		if err := l.knock(ctx); err != nil {
			_ = l.Close() // nobody is there
			return nil, fmt.Errorf("dial %s: %w", device, err)
		}
	}
	return l, nil
}

// Hosts dials a host by the form of its address.
type Hosts struct {
	Network Dialer // for "host:port"
}

// Dial implements Dialer.
func (h Hosts) Dial(ctx context.Context, address string) (Link, error) {
	if !strings.HasPrefix(address, SerialScheme) {
		return h.Network.Dial(ctx, address)
	}
	serial, device, err := ParseSerialHost(address)
	if err != nil {
		return nil, err
	}
	return serial.Dial(ctx, device)
}

// CheckSerialFrames tells whether the frames that appendFrame makes go over the line of an address:
// an envelope wants them with a packed length. Other addresses take any.
func CheckSerialFrames(address string, appendFrame func(dst, body []byte) ([]byte, error)) error {
	if !strings.HasPrefix(address, SerialScheme) {
		return nil
	}
	h, _, err := ParseSerialHost(address)
	if err != nil {
		return err
	}
	frame, err := appendFrame(nil, make([]byte, 12)) // a length that reads differently in binary
	if err != nil {
		return err
	}
	if h.Envelope && !isFrame(frame) {
		return errNoFrame
	}
	return nil
}
