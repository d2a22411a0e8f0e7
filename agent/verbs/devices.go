package verbs

import (
	"fmt"
	"time"

	"reversald/agent/doors/api"
)

// devices says of the devices what people must know; a clock that is right is not said.
func (s *Session) devices(st api.Status) {
	if st.Clock != "" && st.Clock != "trusted" {
		s.row("clock", s.f("not to be believed; it is %s at least",
			st.Time.UTC().Format(time.DateTime)))
	}
	if st.Power != "" {
		s.row("power", Clean(st.Power))
	}
	if p := st.Printer; p != nil {
		note := s.f("%d slips printed, %d lost, %d waiting", p.Printed, p.Lost, p.Waiting)
		if p.Trouble != "" {
			note += ": " + Clean(p.Trouble)
		}
		s.row("printer", note)
	}
	for _, c := range st.Certificates {
		note := s.f("%d days left", int(c.Expires.Sub(st.Time).Hours()/24))
		if c.Expires.Before(st.Time) {
			note = s.Tr("EXPIRED")
		}
		s.row("tls", fmt.Sprintf("%s %s, %s: %s", s.whose(c.Whose), Clean(c.Subject),
			c.Expires.UTC().Format(time.DateOnly), note))
	}
	for _, why := range st.Unwatched {
		s.row("UNWATCHED", Clean(why))
	}
}

// whose is the owner of a certificate in the session's language.
func (s *Session) whose(owner string) string {
	switch owner {
	case "ours":
		return s.Tr("ours")
	case "authority":
		return s.Tr("authority")
	}
	return s.Tr("host")
}
