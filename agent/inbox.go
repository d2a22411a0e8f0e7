package agent

import (
	"context"
	"errors"

	"reversald/agent/link"
)

// inboxMax bounds what waits for Run. A full inbox makes the doors and the line wait, which is
// where the waiting belongs: in the peers' own buffers.
const inboxMax = 256

// batchMax is how many messages share one commit at most.
const batchMax = 128

// ErrStopped is returned to whoever asks an agent that has stopped.
var ErrStopped = errors.New("agent has stopped")

// App is one connection of a payment app, as a door hands it to the agent.
type App interface {
	// Tell hands over an answer without ever waiting. Where the result is TellWaits, the door
	// calls Agent.Told with the ticket once it knows.
	Tell(ticket uint64, body []byte) TellResult
	// Hang ends the connection: the clear refusal where no answer can be given.
	Hang(why string)
	// Name is the app for people: an address.
	Name() string
}

// TellResult is what became of an answer.
type TellResult uint8

// The results of Tell.
const (
	// TellDelivered: every byte was handed over.
	TellDelivered TellResult = iota + 1
	// TellWaits: the app takes no bytes now.
	TellWaits
	// TellGone: the app is not there any more.
	TellGone
)

// message is anything that reaches Run.
//
//sumtype:decl
type message interface{ message() }

type (
	fromApp struct {
		app  App
		body []byte
	}
	appGone struct{ app App }
	appTold struct {
		ticket    uint64
		delivered bool
	}
	fromLink struct {
		report link.Report
		mac    error // what is wrong with the MAC of what arrived
	}
	notSent struct { // a message of ours that was to be signed first; nothing of it left
		tag link.Tag
		err error
	}
	forsaken      struct{ c *counter } // a caller of Sell is gone
	requestSigned struct {             // a request of our own wording, ready to go
		tag  link.Tag
		body []byte
		err  error
	}
	keysLoaded struct{ err error } // the signer took the keys of a sign-on, or refused them
	fromClock  struct{}
	question   struct { // somebody wants to look, or a person acts
		ask    func(*Agent) (any, error) // an error ends the agent
		answer chan any
	}
)

func (fromApp) message()       {}
func (appGone) message()       {}
func (appTold) message()       {}
func (fromLink) message()      {}
func (notSent) message()       {}
func (forsaken) message()      {}
func (requestSigned) message() {}
func (keysLoaded) message()    {}
func (fromClock) message()     {}
func (question) message()      {}

// Frame brings a frame from an app. It blocks while the inbox is full.
func (a *Agent) Frame(app App, body []byte) { a.post(fromApp{app, body}) }

// Gone says that an app's connection has ended.
func (a *Agent) Gone(app App) { a.post(appGone{app}) }

// Told says what became of an answer that had to wait.
func (a *Agent) Told(ticket uint64, delivered bool) {
	a.post(appTold{ticket, delivered})
}

// post puts a message in the inbox, or drops it when the agent has stopped.
func (a *Agent) post(m message) {
	select {
	case a.inbox <- m:
	case <-a.stopped:
	}
}

// ask runs f in Run's goroutine and returns its answer.
func (a *Agent) ask(ctx context.Context, f func(*Agent) (any, error)) (any, error) {
	q := question{ask: f, answer: make(chan any, 1)}
	select {
	case a.inbox <- q:
	case <-a.stopped:
		return nil, ErrStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case answer := <-q.answer:
		return answer, nil
	case <-a.stopped:
		return nil, ErrStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
