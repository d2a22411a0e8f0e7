package api

import (
	"fmt"
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
	if s.feed.join() {
		return s.feed.leave
	}
	s.refuse(w, r, trouble(typeStreams, http.StatusServiceUnavailable,
		fmt.Sprintf("%d follow already", streamsMax)))
	return nil
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
	out := stream{w: w, rc: http.NewResponseController(w), text: []byte(": reversald\n\n")}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		looked := time.Now()
		changed := s.agent.Changed() // before looking, so that nothing slips in between
		page, err := s.feed.from(from)
		if err != nil {
			return // a reader that comes back is told why
		}
		for _, e := range page {
			from = e.Seq + 1
			if e.ID != 0 && s.isOwn(app, e.ID, owners) {
				out.text = appendEvent(out.text, e)
			}
		}
		switch {
		case len(out.text) > 0:
			beat.Reset(heartbeat)
		case len(page) == 0:
			out.text = append(out.text, ": still here\n\n"...)
		}
		if out.flush() != nil {
			return
		}
		if len(page) < pageMax && !s.rest(r, looked, s.ahead(changed, page), beat.C) {
			return
		}
	}
}

// ownersMax bounds what a stream remembers of whose the payments are.
const ownersMax = 256

// isOwn says whether an app may see what happens to a payment: it is one of its own.
func (s *server) isOwn(app string, id uint64, owners map[uint64]bool) bool {
	if app == "" {
		return true
	}
	own, known := owners[id]
	if !known {
		if len(owners) >= ownersMax {
			clear(owners)
		}
		own = s.agent.AppOf(id) == app
		owners[id] = own
	}
	return own
}

// appendEvent appends one entry. What it is called is its kind, with underscores.
func appendEvent(dst []byte, e agent.Encoded) []byte {
	dst = strconv.AppendUint(append(dst, "id: "...), e.Seq, 10)
	dst = append(dst, "\nevent: "...)
	for _, c := range []byte(e.Kind) {
		if c == ' ' {
			c = '_'
		}
		dst = append(dst, c)
	}
	dst = append(append(dst, "\ndata: "...), e.JSON...)
	return append(dst, "\n\n"...)
}
