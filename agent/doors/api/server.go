package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"reversald/agent"
)

// bodyBytesMax is more than any order of a person needs.
const bodyBytesMax = 4 << 10

// writeTimeout is how long a reader may take to accept one page of entries: one that stops
// reading is dropped, not waited for.
const writeTimeout = 10 * time.Second

// Agent is what this door needs of the agent.
type Agent interface {
	Status(ctx context.Context) (agent.Status, error)
	Open(ctx context.Context) ([]agent.Payment, error)
	Look(ctx context.Context, id uint64) (agent.Payment, bool, error)
	Replay(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Lines(from uint64, limit int) ([]agent.Line, error)
	Story(id uint64) ([]agent.Line, error)
	Newest() uint64
	Changed() <-chan struct{}
}

// About is what the process knows and the agent does not.
type About struct {
	Version   string   `json:"version"`
	PID       int      `json:"pid"`
	Listen    string   `json:"listen"`
	Socket    string   `json:"socket"`
	Journal   string   `json:"journal"`
	Overrides []string `json:"overrides,omitempty"` // settings that weaken the promise
}

// Status is the answer to GET /v1/status.
type Status struct {
	About
	agent.Status
}

// Story is the answer to GET /v1/payments/{id}.
type Story struct {
	Payment *agent.Payment `json:"payment,omitempty"` // nil when it is long closed
	Entries []agent.Line   `json:"entries"`
}

// Problem is an error as RFC 9457 words it.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// server answers requests.
type server struct {
	agent Agent
	about About
}

// Handler is the API.
//
//	GET  /v1/status
//	GET  /v1/payments?state=open|stuck
//	GET  /v1/payments/{id}
//	POST /v1/payments/{id}/replay   {"by": "...", "why": "..."}
//	GET  /v1/journal?from=N&max=N&last=N&follow=true   one JSON object a line
func Handler(a Agent, about About) http.Handler {
	s := &server{agent: a, about: about}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", s.status)
	mux.HandleFunc("GET /v1/payments", s.payments)
	mux.HandleFunc("GET /v1/payments/{id}", s.payment)
	mux.HandleFunc("POST /v1/payments/{id}/replay", s.replay)
	mux.HandleFunc("GET /v1/journal", s.journal)
	return mux
}

// Serve answers on listener until ctx ends.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err := srv.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	status, err := s.agent.Status(r.Context())
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	reply(w, Status{About: s.about, Status: status})
}

func (s *server) payments(w http.ResponseWriter, r *http.Request) {
	all, err := s.agent.Open(r.Context())
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	state := r.URL.Query().Get("state")
	some := []agent.Payment{}
	for _, p := range all {
		if state == "" || state == "open" || state == p.Phase {
			some = append(some, p)
		}
	}
	reply(w, some)
}

func (s *server) payment(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		refuse(w, http.StatusBadRequest, errors.New("a payment's number is digits"))
		return
	}
	entries, err := s.agent.Story(id)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	p, held, err := s.agent.Look(r.Context(), id)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	if len(entries) == 0 && !held {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no payment %d on file", id))
		return
	}
	story := Story{Entries: entries}
	if held {
		story.Payment = &p
	}
	reply(w, story)
}

// Order is the body of a person's order.
type Order struct {
	By  string `json:"by"`
	Why string `json:"why"`
}

func (s *server) replay(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		refuse(w, http.StatusBadRequest, errors.New("a payment's number is digits"))
		return
	}
	var order Order
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	body.DisallowUnknownFields()
	if err := body.Decode(&order); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("the body is not an order: %w", err))
		return
	}
	p, err := s.agent.Replay(r.Context(), id, order.By, order.Why)
	switch {
	case errors.Is(err, agent.ErrNoPayment):
		refuse(w, http.StatusNotFound, err)
	case errors.Is(err, agent.ErrNoName), errors.Is(err, agent.ErrTooLong):
		refuse(w, http.StatusBadRequest, err)
	case errors.Is(err, agent.ErrPhase):
		refuse(w, http.StatusConflict, err)
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, err)
	default:
		reply(w, p)
	}
}

func reply(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a reader that is gone needs no answer
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{
		Title: http.StatusText(status), Status: status, Detail: err.Error(),
	})
}
