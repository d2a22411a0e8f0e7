package agent

import (
	"log/slog"
	"maps"
	"slices"
	"sort"

	"reversald/agent/link"
	"reversald/iso"
)

// passedMax bounds what passes through and waits for its answer.
const passedMax = 256

// passTag marks a frame that is nobody's payment.
var passTag = link.Tag{}

// passKey is what the answer to a message that passes through is matched by.
type passKey struct {
	class iso.Class // of the answer
	key   string
}

// passing is a message that went through unjournaled, because there is nothing to undo: sign-on,
// echo, settlement, an inquiry, a reversal of a payment that is not ours.
type passing struct {
	app      App
	question []byte // what a local answer is built from, without track data or PIN block
	until    instant
}

// pass sends an app's message on as it is, and remembers whom the answer is for.
func (a *Agent) pass(app App, g iso.Glance, body []byte) {
	if len(a.passed) >= passedMax {
		a.answerLocally(app, body, a.profile.Codes().Busy)
		return
	}
	if err := a.line.Send(passTag, body); err != nil {
		a.answerLocally(app, body, a.profile.Codes().NotSent)
		return
	}
	question := body
	if g.Class == iso.ClassPayment {
		question = a.withoutSecrets(body)
	}
	a.passed[passKey{g.Class.Answer(), g.Key}] = passing{
		app: app, question: question, until: a.now() + a.limits.HostTimeout,
	}
}

// withoutSecrets is a question with nothing in it but what the journal might keep too.
func (a *Agent) withoutSecrets(body []byte) []byte {
	o, err := a.profile.Original(body)
	clear(body)
	if err != nil {
		return nil
	}
	question, err := a.profile.Question(o)
	if err != nil {
		return nil
	}
	return question
}

// passBack hands an answer to the app that asked; false when nobody did.
func (a *Agent) passBack(g iso.Glance, body []byte) bool {
	key := passKey{g.Class, g.Key}
	pass, ok := a.passed[key]
	if !ok {
		return false
	}
	delete(a.passed, key)
	pass.app.Tell(0, body)
	return true
}

// expirePassed answers for a host that stays silent.
func (a *Agent) expirePassed(now instant) {
	for _, key := range a.passedKeys() {
		if pass := a.passed[key]; pass.until <= now {
			delete(a.passed, key)
			a.log.Warn("no answer", slog.String("class", key.class.String()))
			a.answerLocally(pass.app, pass.question, a.profile.Codes().Unknown)
		}
	}
}

// losePassed answers for a host whose line is lost.
func (a *Agent) losePassed() {
	for _, key := range a.passedKeys() {
		pass := a.passed[key]
		delete(a.passed, key)
		a.answerLocally(pass.app, pass.question, a.profile.Codes().Unknown)
	}
}

// forgetPassed drops what an app waits for that is gone.
func (a *Agent) forgetPassed(app App) {
	maps.DeleteFunc(a.passed, func(_ passKey, p passing) bool { return p.app == app })
}

// passedKeys lists the keys in an order that is the same in every run.
func (a *Agent) passedKeys() []passKey {
	keys := slices.Collect(maps.Keys(a.passed))
	sort.Slice(keys, func(i, j int) bool {
		x, y := keys[i], keys[j]
		return x.class < y.class || x.class == y.class && x.key < y.key
	})
	return keys
}
