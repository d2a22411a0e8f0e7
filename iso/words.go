package iso

import "strings"

// Action is what the person at the till does next.
type Action uint8

// The actions; zero is a bug. Only for ActionTryAgain to ActionOtherCard, and ActionEnterPIN, is it
// known that nothing was charged.
const (
	ActionDone       Action = iota + 1 // the sale is good
	ActionTryAgain                     // the same again is safe
	ActionTryLater                     // the host is down, try in a while
	ActionOtherCard                    // another card or another way to pay
	ActionEnterPIN                     // PIN again
	ActionCall                         // the cardholder or the shop calls the bank
	ActionHoldCard                     // keep the card if that is safe, and call
	ActionCheckLast                    // look at the last receipt before anything else
	ActionWait                         // not known, being reversed: no second swipe, no refund
	ActionSignOn                       // the terminal signs on again
	ActionTechnician                   // this terminal needs a technician
)

// actionsByName are the actions as texts in profiles name them.
var actionsByName = map[string]Action{
	"done": ActionDone, "try_again": ActionTryAgain, "try_later": ActionTryLater,
	"other_card": ActionOtherCard, "enter_pin": ActionEnterPIN, "call": ActionCall,
	"hold_card": ActionHoldCard, "check_last": ActionCheckLast, "wait": ActionWait,
	"sign_on": ActionSignOn, "technician": ActionTechnician,
}

// String names the action as profiles do.
func (a Action) String() string {
	for name, b := range actionsByName {
		if a == b {
			return name
		}
	}
	return "action unknown"
}

// Situation is an outcome that we tell, not the host.
type Situation uint8

// The situations; zero is a bug.
const (
	SituationUnknown  Situation = iota + 1 // not known, being reversed
	SituationReversed                      // taken back, confirmed by the host
	SituationStuck                         // could not be taken back without a person
	SituationNotSent                       // nothing left the terminal
	SituationBusy                          // too much at once; nothing left the terminal
	SituationOwed                          // an older payment must be reversed first
	SituationRefused                       // the app's message cannot be carried
)

// phrase is what one code means, in both languages.
type phrase struct {
	en, zh string
	action Action
}

// in picks the language: Chinese for "zh" and its regions, English for everything else.
func (ph phrase) in(lang string) (string, Action) {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(lang), "_", "-"), "-")
	if base == "zh" {
		return ph.zh, ph.action
	}
	return ph.en, ph.action
}

// Words is the text for a response code and what to do. lang is "zh" (or "zh-CN" …) or "en";
// anything else is English.
func Words(code, lang string) (string, Action) {
	if ph, ok := phrases[code]; ok {
		return ph.in(lang)
	}
	return phraseDeclined.in(lang)
}

// OutcomeWords is the text for one of our own outcomes and what to do. An unknown situation reads
// as SituationUnknown, which promises nothing.
func OutcomeWords(s Situation, lang string) (string, Action) {
	if ph, ok := situations[s]; ok {
		return ph.in(lang)
	}
	return situations[SituationUnknown].in(lang)
}

// Words is the package's Words with the profile's own texts. For a code the profile calls ambiguous
// or provisional it says what SituationUnknown says: nobody is invited to try that again.
func (p *Profile) Words(code, lang string) (string, Action) {
	switch p.Outcome(code) {
	case OutcomeAmbiguous, OutcomeProvisional:
		return OutcomeWords(SituationUnknown, lang)
	case OutcomeApproved, OutcomeDeclined:
	}
	if ph, ok := p.texts[code]; ok {
		return ph.in(lang)
	}
	ph, ok := phrases[code]
	switch approved := p.Outcome(code) == OutcomeApproved; {
	case approved && ph.action != ActionDone:
		return phrases["00"].in(lang) // this host uses the code differently
	case !ok || !approved && ph.action == ActionDone:
		return phraseDeclined.in(lang)
	}
	return ph.in(lang)
}
