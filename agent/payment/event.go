package payment

// Event is what happened to a payment.
//
//sumtype:decl
type Event interface{ event() }

type (
	// Ask means that the app wants the payment; its request is complete and understood.
	Ask struct{ ConfirmBy ConfirmBy }
	// NeverLeft means that the link proves that not one byte of the request left.
	NeverLeft struct{}
	// HostApproved is the answer to the request, and it says yes.
	HostApproved struct{ Code string }
	// HostDeclined is the answer to the request, and it says no.
	HostDeclined struct{ Code string }
	// HostUnclear is an answer to the request that decides nothing (ambiguous code, wrong MAC).
	HostUnclear struct {
		Code   string
		Reason Reason
	}
	// TimeUp means that the deadline of the phase has passed (the host's, or the app's confirm).
	TimeUp struct{}
	// LinkLost means that the line broke while the answer was awaited.
	LinkLost struct{}
	// Delivered means that the host's answer was handed to the app in full.
	Delivered struct{}
	// Undeliverable means that the host's answer can not be handed to the app.
	Undeliverable struct{}
	// Confirm means that the app says that the sale is finished.
	Confirm struct{}
	// Cancel means that the app takes the payment back, by cancel or by a reversal of its own.
	Cancel struct{}
	// PowerUp means that the agent has started and found this payment on file.
	PowerUp struct {
		// KeepUnconfirmed: trust that an undelivered approval was delivered after all. Only for
		// payments confirmed by delivery; config key unconfirmed_at_boot.
		KeepUnconfirmed bool
	}
	// ReversalDue means that the queue says that this payment's reversal goes out now.
	ReversalDue struct{}
	// ReversalNeverLeft means that the link proves that not one byte of the last attempt left.
	ReversalNeverLeft struct{}
	// ReversalAccepted means that the host has undone the payment, or never knew it.
	ReversalAccepted struct{ Code string }
	// ReversalPutOff means that the host asks to try again later, or after a sign-on.
	ReversalPutOff struct{ Code string }
	// ReversalRefused means that the host answered, and would answer the same again.
	ReversalRefused struct{ Code, Cause string }
	// Replay means that a person sends the reversal again.
	Replay struct{ By, Why string }
	// Resolve means that a person closes a stuck payment.
	Resolve struct{ By, Why string }
	// Hold means that a person stops our attempts to reverse it, for a while.
	Hold struct{ By, Why string }
	// Release means that a person lets them go on.
	Release struct{ By, Why string }
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
func (Hold) event()              {}
func (Release) event()           {}
