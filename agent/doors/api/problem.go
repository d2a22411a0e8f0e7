package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"reversald/agent"
	"reversald/iso"
)

// typePrefix is what the types of all problems begin with. They are stable: programs branch on
// them. API.md lists them with what to do.
const typePrefix = "urn:reversald:problem:"

// The problems.
const (
	typeBadRequest    = "bad-request"      // 400: it can not be read; field says where
	typeNoKey         = "no-key"           // 400: a payment needs an Idempotency-Key
	typeNoToken       = "no-token"         // 401: over TCP a bearer token is needed
	typeForbidden     = "forbidden"        // 403: this peer has another role, or none
	typeNotFound      = "not-found"        // 404: no such payment, or no such path
	typeMethod        = "method"           // 405: the path has other methods
	typeConflict      = "conflict"         // 409: the payment is past that; payment is as it is
	typeKeyReused     = "key-reused"       // 409: the key names a payment of another body
	typeTraceInUse    = "trace-in-use"     // 409: the trace number is another payment's
	typeTooLarge      = "too-large"        // 413: the body
	typeMediaType     = "media-type"       // 415: a body is application/json
	typeInvalid       = "invalid-payment"  // 422: no message can be made of it; nothing was sent
	typeNotReversible = "not-reversible"   // 422: a payment this door does not carry; nothing sent
	typeGuard         = "guard"            // 422: a guard rail refuses; nothing was sent
	typeTooMany       = "too-many"         // 429: commands of people, in a minute
	typeInternal      = "internal"         // 500: the journal can not be read
	typeLineDown      = "line-down"        // 503: nothing was sent
	typePower         = "power-failing"    // 503: nothing was sent
	typeOwed          = "reversal-owed"    // 503: an older one goes first; nothing was sent
	typeBusy          = "busy"             // 503: too much at once; nothing was sent
	typeJournalFull   = "journal-full"     // 503: nothing was sent
	typeStreams       = "too-many-streams" // 503: of the journal or of events
	typeStopping      = "stopping"         // 503: the daemon ends; ask again with the same key
	typeTakenBack     = "taken-back"       // 409: the app took it back before it left
)

// Problem is an error as RFC 9457 words it. What begins with Outcome is there where it means
// something.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"` // the path that was asked
	Field    string `json:"field,omitempty"`    // what of the request is wrong

	Rail    string   `json:"rail,omitempty"`    // guard: which, as the configuration calls it
	Outcome string   `json:"outcome,omitempty"` // not_sent: nothing has left the terminal
	Text    string   `json:"text,omitempty"`    // for the cashier
	Next    *Next    `json:"next,omitempty"`
	ID      uint64   `json:"id,omitempty"`      // the payment in the way
	Payment *Payment `json:"payment,omitempty"` // conflict: as it is
}

// titles say in a few words what the problems are; a title does not change.
//
//nolint:gosec // G101: the titles speak of tokens, and hold none
var titles = map[string]string{
	typeBadRequest: "The request can not be read", typeNoKey: "An Idempotency-Key is needed",
	typeNoToken: "A token is needed", typeForbidden: "Not for this peer",
	typeNotFound: "There is no such thing", typeMethod: "Not this method",
	typeConflict: "The payment is past that", typeKeyReused: "The key names another payment",
	typeTraceInUse: "The trace number is in use", typeTooLarge: "The body is too large",
	typeMediaType: "The body is not JSON", typeInvalid: "No message can be made of it",
	typeNotReversible: "This payment is not carried here", typeInternal: "Something is broken",
	typeGuard:    "A guard rail refuses",
	typePower:    "The power is failing",
	typeLineDown: "The line is down", typeOwed: "A reversal goes first",
	typeBusy: "Too much at once", typeJournalFull: "The journal is full",
	typeStreams: "Too many streams", typeStopping: "The daemon is stopping",
	typeTakenBack: "Taken back before it left", typeTooMany: "Too many at once",
}

// retryAfterSeconds is when a refusal for want of room may be over.
const retryAfterSeconds = "1"

// trouble is a problem on its way to the client.
func trouble(kind string, status int, detail string) *Problem {
	return &Problem{
		Type: typePrefix + kind, Title: titles[kind], Status: status, Detail: detail,
	}
}

// badRequest is what can not be read; field is where, if anywhere.
func badRequest(field, detail string) *Problem {
	p := trouble(typeBadRequest, http.StatusBadRequest, detail)
	p.Field = field
	return p
}

func (*server) refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	p.Instance = r.URL.Path
	if len(p.Instance) > pathShownMax {
		p.Instance = ""
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfterSeconds)
	}
	patience(w)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that is gone needs no answer
}

// pathShownMax keeps a problem from quoting whatever was sent for a path.
const pathShownMax = 100

// patience is how long the client may take over what it is sent next.
func patience(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
}

// problemOf words what the agent says. lang is the cashier's.
func (s *server) problemOf(err error, lang string) *Problem {
	var refusal *agent.Refusal
	switch {
	case errors.As(err, &refusal):
		return s.unsent(refusal, lang)
	case errors.Is(err, agent.ErrNoPayment):
		return trouble(typeNotFound, http.StatusNotFound, err.Error())
	case errors.Is(err, agent.ErrNoName), errors.Is(err, agent.ErrTooLong):
		return badRequest("", err.Error())
	case errors.Is(err, agent.ErrPhase):
		return trouble(typeConflict, http.StatusConflict, err.Error())
	case errors.Is(err, agent.ErrTooMany):
		return trouble(typeTooMany, http.StatusTooManyRequests, err.Error())
	case errors.Is(err, agent.ErrNoRoom):
		return trouble(typeJournalFull, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, agent.ErrStopped), errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded):
		p := trouble(typeStopping, http.StatusServiceUnavailable,
			"what was under way goes on with the next start; ask again, with the same key")
		p.Outcome = outcomeUnknown
		return p
	}
	return trouble(typeInternal, http.StatusInternalServerError, err.Error())
}

// unsent words a refusal: nothing has left the terminal.
func (s *server) unsent(r *agent.Refusal, lang string) *Problem {
	var p *Problem
	switch r.Kind {
	case agent.RefusedMessage:
		p = trouble(typeInvalid, http.StatusUnprocessableEntity, r.Why)
		p.Field = fieldName(r.Field)
	case agent.RefusedKind:
		p = trouble(typeNotReversible, http.StatusUnprocessableEntity, r.Why)
	case agent.RefusedGuard:
		p = trouble(typeGuard, http.StatusUnprocessableEntity, r.Why)
		p.Field, p.Rail = fieldName(r.Field), r.Rail
	case agent.RefusedKey:
		p = trouble(typeKeyReused, http.StatusConflict,
			"this Idempotency-Key was used with another body; take a new one for a new payment")
	case agent.RefusedTrace:
		p = trouble(typeTraceInUse, http.StatusConflict,
			"another payment has this trace number; leave it out, and one is chosen")
		p.Field = "stan"
	case agent.RefusedTakenBack:
		p = trouble(typeTakenBack, http.StatusConflict, "nothing was sent")
	case agent.RefusedLine:
		p = trouble(typeLineDown, http.StatusServiceUnavailable,
			"the host was not reached in time, and nothing was sent")
	case agent.RefusedPower:
		p = trouble(typePower, http.StatusServiceUnavailable,
			"the power is failing, and nothing was sent")
	case agent.RefusedOwed:
		p = trouble(typeOwed, http.StatusServiceUnavailable,
			"an older payment of this terminal is being reversed first, and nothing was sent")
	case agent.RefusedFull:
		p = trouble(typeJournalFull, http.StatusServiceUnavailable,
			"the journal keeps its last room for what is open, and nothing was sent")
	case agent.RefusedBusy:
		p = trouble(typeBusy, http.StatusServiceUnavailable, "too many payments wait")
	}
	if p == nil {
		p = trouble(typeInvalid, http.StatusUnprocessableEntity, r.Why)
	}
	p.ID, p.Outcome = r.ID, outcomeNotSent
	if r.Kind == agent.RefusedKey { // what the key names may well have been sent
		next := nextOf(iso.ActionCheckLast.String(), lang)
		p.Outcome, p.Text, p.Next = "", next.Text, &next
		return p
	}
	text, action := iso.OutcomeWords(r.Situation(), lang)
	if r.Code != "" {
		text, action = s.words(r.Code, lang)
	}
	next := nextOf(action.String(), lang)
	p.Text, p.Next = text, &next
	return p
}
