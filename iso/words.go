package iso

// Action is what the person at the till does next.
type Action uint8

// The actions; zero is a bug.
const (
	ActionDone       Action = iota + 1 // the sale is good
	ActionTryAgain                     // nothing was charged; the same again is safe
	ActionTryLater                     // nothing was charged; the host is down, try in a while
	ActionOtherCard                    // nothing was charged; another card or another way to pay
	ActionEnterPIN                     // nothing was charged; PIN again
	ActionCall                         // the cardholder or the shop must call the bank
	ActionHoldCard                     // keep the card if that is safe, call
	ActionCheckLast                    // look at the last receipt before anything else
	ActionWait                         // not known, being reversed: no second swipe, no refund
	ActionSignOn                       // the terminal signs on again
	ActionTechnician                   // this terminal needs a technician
)

// Situation is an outcome that we tell, not the host.
type Situation uint8

// The situations; zero is a bug.
const (
	SituationUnknown  Situation = iota + 1 // not known, being reversed
	SituationReversed                      // taken back, confirmed by the host
	SituationStuck                         // could not be taken back without a person
	SituationNotSent                       // nothing left the terminal
	SituationBusy                          // too much at once
	SituationOwed                          // an older payment must be reversed first
	SituationRefused                       // the app's message cannot be carried
)

// Words is the text for a response code and what to do. lang is "zh" (or "zh-CN" …) or "en";
// anything else is English.
func Words(code, lang string) (string, Action) { return "", 0 }

// OutcomeWords is the text for one of our own outcomes and what to do.
func OutcomeWords(s Situation, lang string) (string, Action) { return "", 0 }

// Words is the package's Words with the profile's own texts, and never an invitation to try again
// for a code the profile calls ambiguous or provisional.
func (p *Profile) Words(code, lang string) (string, Action) { return Words(code, lang) }
