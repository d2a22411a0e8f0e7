// Package iso reads and writes ISO 8583 as one host speaks it, and knows how to take a payment
// back.
//
// Think of a court interpreter with a phrase book. The book is the profile: one YAML file that
// says how this host frames its messages, what each field looks like, which messages are
// payments, which answers mean yes, and how a reversal is worded. The interpreter looks at a
// message (Glance), keeps what a reversal would need (Original), words the reversal (Reversal),
// and says what an answer means (Outcome, Verdict). It never carries a message itself: there are
// no sockets and no clocks here.
//
// Rules that hold for everything in the package:
//
//   - Nothing panics on input; hostile bytes give a *FieldError or a *FrameError.
//   - An error names the field and the byte offset, never a value.
//   - Track data, PIN blocks and card verification values never leave the bytes they came in:
//     Original, Kept and Describe cannot hold them.
//   - The codec does not preserve bytes, so what is forwarded is forwarded as it came, and only
//     what we make ourselves is composed.
//   - Keys are not known here: MAC says what an authentication code covers and where it goes, and
//     whoever owns the keys makes it, at every sending anew.
//   - A Profile does not change after it was loaded and may be used by any number of goroutines.
//
// How to describe a host is written in PROFILES.md.
package iso
