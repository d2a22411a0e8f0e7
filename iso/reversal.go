package iso

import "time"

// Attempt is one sending of a reversal.
type Attempt struct {
	N      int       // 1 is the first; more gives the profile's repeat MTI
	Reason Reason    // why; becomes DE 39 by the profile's reason map
	STAN   string    // "" is the original's
	Time   time.Time // becomes DE 7 when the profile's reversal has one; zero: the original's DE 7
}

// Reversal words attempt a at taking o back; k is what was kept of the answer, nil if there was
// none. The body is ready for AppendFrame.
func (p *Profile) Reversal(o Original, k *Kept, a Attempt) ([]byte, error) { return nil, errNotYet }
