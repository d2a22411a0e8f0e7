package api

import (
	"context"
	_ "embed" // for the description
	"encoding/json"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"reversald/agent"
	"reversald/iso"
)

// Agent is what this door needs of the agent.
type Agent interface {
	Status(ctx context.Context) (agent.Status, error)
	Open(ctx context.Context) ([]agent.Payment, error)
	Payment(ctx context.Context, id uint64) (agent.Payment, error)
	Find(ctx context.Context, q agent.Query) ([]agent.Payment, error)
	Sell(ctx context.Context, s agent.Sale) (agent.Payment, error)
	Confirm(ctx context.Context, id uint64, app string) (agent.Payment, error)
	Cancel(ctx context.Context, id uint64, app string) (agent.Payment, error)
	People
	Encoded(from uint64, limit int) ([]agent.Encoded, error)
	Story(id uint64) ([]agent.Line, error)
	AppOf(id uint64) string
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
	Hosts     []string `json:"hosts,omitempty"`     // addresses, tried in turn
	Overrides []string `json:"overrides,omitempty"` // settings that weaken the promise
}

// Status is the answer to GET /v1/status.
type Status struct {
	About
	agent.Status
}

// Options are what a door is made of beside the agent.
type Options struct {
	About   About
	Profile *iso.Profile // whose texts cashiers see; nil: those of ISO 8583
	Access  Access
	// Contact is whom a customer calls, for slips; empty: nobody.
	Contact string
	// ConnectionsMax is for each listener; 0: 64.
	ConnectionsMax int
	// Open are further paths that need no role, "GET /healthz" say.
	Open map[string]http.HandlerFunc
	// Journal is what GET /v1/journal/verify proves; nil: there is no such path.
	Journal Verifier
	// Log takes what the HTTP server has to say; nil: nobody.
	Log *log.Logger
}

// Door is the API: a http.Handler that knows who asks.
type Door struct {
	server
	mux            *http.ServeMux
	routes         map[string]route
	access         Access
	connectionsMax int
	errors         *log.Logger
}

// server answers requests.
type server struct {
	agent   Agent
	about   About
	profile *iso.Profile
	feed    *feed
	contact string

	verifier Verifier
}

// streamsMax is how many may follow the journal or the events at a time.
const streamsMax = 16

// route is who may take a path.
type route struct {
	open  bool // to whoever can connect
	roles []Role
}

func (at route) allows(role Role) bool {
	return slices.Contains(at.roles, role)
}

func (at route) wanted() string {
	var names []string
	for _, r := range at.roles {
		names = append(names, r.String())
	}
	return strings.Join(names, " or ")
}

// Who may take a path.
var (
	everybody = []Role{RoleApp, RoleViewer, RoleOperator}
	sellers   = []Role{RoleApp, RoleOperator}
	lookers   = []Role{RoleViewer, RoleOperator}
	operators = []Role{RoleOperator}
)

// New makes the door. Its paths are described in openapi.yaml, which it serves itself.
func New(a Agent, o Options) *Door {
	d := &Door{
		server: server{
			agent: a, about: o.About, profile: o.Profile, feed: newFeed(a),
			verifier: o.Journal, contact: o.Contact,
		},
		mux: http.NewServeMux(), routes: map[string]route{}, access: o.Access,
		connectionsMax: o.ConnectionsMax, errors: o.Log,
	}
	if d.connectionsMax <= 0 {
		d.connectionsMax = connectionsMaxDefault
	}
	d.add("GET /v1/status", everybody, d.status)
	d.add("POST /v1/payments", sellers, d.sell)
	d.add("GET /v1/payments", everybody, d.payments)
	d.add("GET /v1/payments/{id}", everybody, d.payment)
	d.add("GET /v1/payments/{id}/slip", everybody, d.slip)
	d.add("POST /v1/payments/{id}/confirm", sellers, d.decide(a.Confirm))
	d.add("POST /v1/payments/{id}/cancel", sellers, d.decide(a.Cancel))
	d.addOrders(a)
	d.add("GET /v1/events", everybody, d.events)
	d.add("GET /v1/journal", lookers, d.journal)
	if o.Journal != nil {
		d.add("GET /v1/journal/verify", lookers, d.verify)
	}
	d.add("GET /v1/openapi.yaml", everybody, d.describe)
	for pattern, handler := range o.Open {
		d.mux.HandleFunc(pattern, handler)
		d.routes[pattern] = route{open: true}
	}
	return d
}

func (d *Door) add(pattern string, roles []Role, handler http.HandlerFunc) {
	d.mux.HandleFunc(pattern, handler)
	d.routes[pattern] = route{roles: roles}
}

// Routes lists the paths as "METHOD /path", for whoever compares them with the description.
func (d *Door) Routes() []string {
	var all []string
	for pattern := range d.routes {
		all = append(all, pattern)
	}
	return all
}

//go:embed openapi.yaml
var description []byte

func (*server) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	patience(w)
	_, _ = w.Write(description)
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	status, err := s.agent.Status(r.Context())
	if err != nil {
		s.refuse(w, r, s.problemOf(err, languageIn(r)))
		return
	}
	s.reply(w, http.StatusOK, Status{About: s.about, Status: status})
}

// idIn is the payment's number in the path.
func idIn(r *http.Request) (uint64, *Problem) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil || id == 0 {
		return 0, badRequest("id", "a payment's number is digits")
	}
	return id, nil
}

func languageIn(r *http.Request) string { return languageOf(r.Header.Get("Accept-Language")) }

func (*server) reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	patience(w)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a reader that is gone needs no answer
}
