package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"reversald/agent"
	"reversald/agent/doors/api/client"
)

// Story is the answer to GET /v1/payments/{id}.
type Story struct {
	Payment
	Entries []agent.Line `json:"entries"`
}

// ownApp is whose payments a peer sees: an app its own, everybody else all.
func ownApp(p Peer) string {
	if p.Role == RoleApp {
		return p.Name
	}
	return ""
}

// sell asks for a payment and answers when its outcome is known.
func (s *server) sell(w http.ResponseWriter, r *http.Request) {
	lang, peer := languageIn(r), peerIn(r.Context())
	key := r.Header.Get("Idempotency-Key")
	problem := checkKey(key)
	var body client.Sale
	if problem == nil {
		problem = readBody(w, r, false, &body)
	}
	var sale agent.Sale
	if problem == nil {
		sale, problem = orderOf(&body, peer.Name, key)
	}
	if problem != nil {
		s.refuse(w, r, problem)
		return
	}
	p, err := s.agent.Sell(r.Context(), sale)
	if err != nil {
		s.refuse(w, r, s.problemOf(err, lang))
		return
	}
	w.Header().Set("Location", fmt.Sprintf("/v1/payments/%d", p.ID))
	status := http.StatusCreated
	if p.Replayed {
		status = http.StatusOK
	}
	s.reply(w, status, s.tell(p, lang))
}

// decide carries out what an app says about a payment of its own.
func (s *server) decide(
	carryOut func(ctx context.Context, id uint64, app string) (agent.Payment, error),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang := languageIn(r)
		id, problem := idIn(r)
		if problem == nil {
			problem = readBody(w, r, true, &struct{}{})
		}
		if problem != nil {
			s.refuse(w, r, problem)
			return
		}
		p, err := carryOut(r.Context(), id, ownApp(peerIn(r.Context())))
		if err == nil {
			s.reply(w, http.StatusOK, s.tell(p, lang))
			return
		}
		problem = s.problemOf(err, lang)
		if errors.Is(err, agent.ErrPhase) {
			told := s.tell(p, lang)
			problem.Payment, problem.ID = &told, p.ID
			problem.Outcome, problem.Text, problem.Next = told.Outcome, told.Text, &told.Next
		}
		s.refuse(w, r, problem)
	}
}

// payments lists what is open, or looks for payments on file.
func (s *server) payments(w http.ResponseWriter, r *http.Request) {
	q, problem := queryOf(r.URL.Query())
	if problem != nil {
		s.refuse(w, r, problem)
		return
	}
	q.App = ownApp(peerIn(r.Context()))
	all, err := s.look(r.Context(), q)
	if err != nil {
		s.refuse(w, r, s.problemOf(err, languageIn(r)))
		return
	}
	s.reply(w, http.StatusOK, s.tellAll(all, languageIn(r)))
}

// listMax is how many payments one list has, unless more are wanted.
const listMax = 100

// look finds payments: what is open is in memory, oldest first; everything else is on file, newest
// first.
func (s *server) look(ctx context.Context, q agent.Query) ([]agent.Payment, error) {
	limit := q.Limit
	if q.Limit == 0 {
		limit = listMax
	}
	searched := q.Terminal+q.STAN+q.RRN+q.Reference+q.Key != "" || q.Before != 0
	if searched || q.State == "all" || q.State == "closed" || closedPhases[q.State] {
		q.Limit = limit
		return s.agent.Find(ctx, q)
	}
	all, err := s.agent.Open(ctx)
	if err != nil {
		return nil, err
	}
	var some []agent.Payment
	for _, p := range all {
		if (q.State == "" || q.State == "open" || q.State == p.Phase) &&
			(q.App == "" || q.App == p.App) && (q.Limit == 0 || len(some) < limit) {
			some = append(some, p)
		}
	}
	return some, nil
}

// closedPhases are those that are looked for on file.
var closedPhases = map[string]bool{
	"unsent": true, "declined": true, "confirmed": true, "reversed": true, "resolved": true,
}

// queryTextMax is longer than anything a payment is found by.
const queryTextMax = 64

// queryOf reads what payments are looked for by.
func queryOf(values url.Values) (agent.Query, *Problem) {
	var q agent.Query
	texts := map[string]*string{
		"terminal": &q.Terminal, "stan": &q.STAN, "rrn": &q.RRN, "reference": &q.Reference,
		"key": &q.Key, "state": &q.State,
	}
	numbers := map[string]*uint64{"before": &q.Before, "limit": new(uint64)}
	for name, all := range values {
		switch into, number := texts[name], numbers[name]; {
		case len(all) != 1:
			return q, badRequest(plainName(name), "is given twice")
		case into != nil:
			if len(all[0]) > queryTextMax {
				return q, badRequest(name, "is too long")
			}
			*into = all[0]
		case number != nil:
			n, err := strconv.ParseUint(all[0], 10, 63)
			if err != nil || name == "limit" && (n < 1 || n > 500) {
				return q, badRequest(name, "is not a number, or not one of 1 to 500")
			}
			*number = n
		default:
			return q, badRequest(plainName(name), "there is no such parameter")
		}
	}
	q.Limit = int(*numbers["limit"])
	if !agent.KnownState(q.State) {
		return q, badRequest("state", "is open, closed, all, or a phase: asked, approved, "+
			"doubted, stuck, unsent, declined, confirmed, reversed, resolved")
	}
	return q, nil
}

// payment is everything on file about one.
func (s *server) payment(w http.ResponseWriter, r *http.Request) {
	id, problem := idIn(r)
	if problem != nil {
		s.refuse(w, r, problem)
		return
	}
	lang, app := languageIn(r), ownApp(peerIn(r.Context()))
	p, err := s.agent.Payment(r.Context(), id)
	if err != nil && !errors.Is(err, agent.ErrNoPayment) {
		s.refuse(w, r, s.problemOf(err, lang))
		return
	}
	unknown := err != nil
	entries, err := s.agent.Story(id)
	switch {
	case err != nil:
		s.refuse(w, r, s.problemOf(err, lang))
		return
	case unknown && len(entries) == 0, app != "" && p.App != app:
		s.refuse(w, r, trouble(typeNotFound, http.StatusNotFound,
			fmt.Sprintf("there is no payment %d on file", id)))
		return
	case unknown: // its entries are damaged, and it is not open
		p = agent.Payment{ID: id, Phase: "damaged"}
	}
	if entries == nil {
		entries = []agent.Line{}
	}
	s.reply(w, http.StatusOK, Story{Payment: s.tell(p, lang), Entries: entries})
}
