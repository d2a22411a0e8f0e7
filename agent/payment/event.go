package payment

// Event is what happened to a payment.
//
//sumtype:decl
type Event interface{ event() }

type (
	// Ask: the app wants the payment; its request is complete and understood.
	Ask struct{ ConfirmBy ConfirmBy }
	// NeverLeft: the link proves that not one byte of the request left.
	NeverLeft struct{}
	// HostApproved: the answer to the request, and it says yes.
	HostApproved struct{ Code string }
	// HostDeclined: the answer to the request, and it says no.
	HostDeclined struct{ Code string }
	// HostUnclear: an answer to the request that decides nothing (ambiguous code, wrong MAC).
	HostUnclear struct {
		Code   string
		Reason Reason
	}
	// TimeUp: the deadline of the phase has passed (the host's, or the app's confirm).
	TimeUp struct{}
	// LinkLost: the line broke while the answer was awaited.
	LinkLost struct{}
	// Delivered: the host's answer was handed to the app in full.
	Delivered struct{}
	// Undeliverable: the host's answer can not be handed to the app.
	Undeliverable struct{}
	// Confirm: the app says that the sale is finished.
	Confirm struct{}
	// Cancel: the app takes the payment back, by cancel or by a reversal of its own.
	Cancel struct{}
	// PowerUp: the agent has started and found this payment on file.
	PowerUp struct {
		// KeepUnconfirmed: trust that an undelivered approval was delivered after all. Only for
		// payments confirmed by delivery; config key unconfirmed_at_boot.
		KeepUnconfirmed bool
	}
	// ReversalDue: the queue says that this payment's reversal goes out now.
	ReversalDue struct{}
	// ReversalNeverLeft: the link proves that not one byte of the last attempt left.
	ReversalNeverLeft struct{}
	// ReversalAccepted: the host has undone the payment, or never knew it.
	ReversalAccepted struct{ Code string }
	// ReversalPutOff: the host asks to try again later, or after a sign-on.
	ReversalPutOff struct{ Code string }
	// ReversalRefused: the host answered, and would answer the same again.
	ReversalRefused struct{ Code, Cause string }
	// Replay: a person sends the reversal again.
	Replay struct{ By, Why string }
	// Resolve: a person closes a stuck payment.
	Resolve struct{ By, Why string }
)

func (Ask) event()               {}
func (NeverLeft) event()         {}
func (HostApproved) event()      {}
func (HostDeclined) event()      {}
func (HostUnclear) event()       {}
func (TimeUp) event()            {}
func (LinkLost) event()          {}
func (Delivered) event()         {}
func (Undeliverable) event()     {}
func (Confirm) event()           {}
func (Cancel) event()            {}
func (PowerUp) event()           {}
func (ReversalDue) event()       {}
func (ReversalNeverLeft) event() {}
func (ReversalAccepted) event()  {}
func (ReversalPutOff) event()    {}
func (ReversalRefused) event()   {}
func (Replay) event()            {}
func (Resolve) event()           {}
