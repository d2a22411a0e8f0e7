package agent

import (
	"io"

	"reversald/iso"
)

// framing lets the line cut frames the way the profile says.
type framing struct{ profile *iso.Profile }

func (f framing) Reader(r io.Reader) func() ([]byte, error) {
	return f.profile.NewFrameReader(r).Next
}

func (f framing) AppendFrame(dst, body []byte) ([]byte, error) {
	return f.profile.AppendFrame(dst, body)
}
