package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"reversald/agent"
)

// heartbeat is how often a quiet stream says that it is there: a reader that is gone is noticed by
// it, and lets its place go.
const heartbeat = 15 * time.Second

// follow takes one of the places for streams; nil when there is none.
func (s *server) follow(w http.ResponseWriter, r *http.Request) (leave func()) {
	select {
	case s.streams <- struct{}{}:
		return func() { <-s.streams }
	default:
		s.refuse(w, r, trouble(typeStreams, http.StatusServiceUnavailable,
			fmt.Sprintf("%d follow already", streamsMax)))
		return nil
	}
}

// events streams what happens to payments as server-sent events (HTML, 9.2): the number of the
// entry is the event's, so that a reader goes on where it was with Last-Event-ID. It copies a page,
// lets go of the journal, and only then writes to the reader.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	from := s.agent.Newest() + 1
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		n, err := strconv.ParseUint(last, 10, 63)
		if err != nil {
			s.refuse(w, r, badRequest("Last-Event-ID", "is not the number of an event"))
			return
		}
		from = n + 1
	}
	leave := s.follow(w, r)
	if leave == nil {
		return
	}
	defer leave()
	app := ownApp(peerIn(r.Context()))
	owners := map[uint64]bool{} // of the newest payments; bounded below
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	patience(w)
	_, _ = io.WriteString(w, ": reversald\n\n")
	for {
		changed := s.agent.Changed() // before looking, so that nothing slips in between
		lines, err := s.agent.Lines(from, pageMax)
		if err != nil {
			return // a reader that comes back is told why
		}
		patience(w)
		for _, l := range lines {
			from = l.Seq + 1
			if l.ID != 0 && s.isOwn(app, l, owners) && writeEvent(w, l) != nil {
				return
			}
		}
		if rc.Flush() != nil {
			return
		}
		if len(lines) == pageMax {
			continue
		}
		beat := time.NewTimer(heartbeat)
		select {
		case <-changed:
			beat.Stop()
		case <-beat.C:
			patience(w)
			_, _ = io.WriteString(w, ": still here\n\n")
		case <-r.Context().Done():
			beat.Stop()
			return
		}
	}
}

// ownersMax bounds what a stream remembers of whose the payments are.
const ownersMax = 256

// isOwn says whether an app may see an entry: it belongs to a payment of its own.
func (s *server) isOwn(app string, l agent.Line, owners map[uint64]bool) bool {
	if app == "" {
		return true
	}
	own, known := owners[l.ID]
	if !known {
		if len(owners) >= ownersMax {
			clear(owners)
		}
		own = s.agent.AppOf(l.ID) == app
		owners[l.ID] = own
	}
	return own
}

// writeEvent writes one entry. What it is called is its kind, with underscores.
func writeEvent(w io.Writer, l agent.Line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	name := []byte(l.Kind)
	for i := range name {
		if name[i] == ' ' {
			name[i] = '_'
		}
	}
	_, err = fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", l.Seq, name, data)
	return err
}
