package verbs

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/payment"
)

// filter is which entries somebody wants to see.
type filter struct {
	kinds    []string // none: all
	open     bool     // only of payments that are open now
	terminal string
	stan     string
	rrn      string
	mti      string
	code     string
	since    time.Time
	until    time.Time

	known map[uint64]whose
	still map[uint64]bool // open now, as of the beginning
}

// whose is what a payment is found by.
type whose struct{ terminal, stan, rrn string }

// knownMax bounds what a filter remembers of payments. What it has let go of it asks for again.
const knownMax = 4096

func (f *filter) none() bool {
	return len(f.kinds) == 0 && !f.open && f.terminal+f.stan+f.rrn+f.mti+f.code == "" &&
		f.since.IsZero() && f.until.IsZero()
}

// filter reads the flags.
func (s *Session) filter(in Input) (filter, error) {
	f := filter{
		terminal: in.Text("terminal"), stan: in.Text("stan"), rrn: in.Text("rrn"),
		mti: in.Text("mti"), code: in.Text("code"), known: map[uint64]whose{},
	}
	for _, kind := range strings.Split(in.Text("state"), ",") {
		kind = strings.TrimSpace(strings.ReplaceAll(kind, "-", " "))
		switch {
		case kind == "":
		case kind == "open":
			f.open = true
		case !slices.ContainsFunc(payment.Kinds(), func(k payment.Kind) bool {
			return k.String() == kind
		}) && kind != "damaged":
			return f, s.wrong("%q is no state; they are: %s, open, damaged", kind, kindList())
		default:
			f.kinds = append(f.kinds, kind)
		}
	}
	var err error
	if f.since, err = s.moment("since", in.Text("since")); err != nil {
		return f, err
	}
	f.until, err = s.moment("until", in.Text("until"))
	return f, err
}

func kindList() string {
	var names []string
	for _, k := range payment.Kinds() {
		names = append(names, k.String())
	}
	return strings.Join(names, ", ")
}

// moment reads a time: so long ago, or a date with or without a time of day.
func (s *Session) moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return s.now().Add(-ago), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	zone := s.Zone
	if zone == nil {
		zone = time.Local
	}
	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, s.wrong("--%s is a time as 10m, 2026-03-01 or 2026-03-01T09:30, not %q",
		flag, text)
}

// fits says whether an entry is wanted. What it does not say of its payment is asked for.
func (f *filter) fits(ctx context.Context, s *Session, l agent.Line) (bool, error) {
	f.learn(l)
	switch {
	case len(f.kinds) > 0 && !slices.Contains(f.kinds, l.Kind),
		f.code != "" && l.Code != f.code && (l.Kept == nil || l.Kept.Code != f.code),
		!f.since.IsZero() && l.Time.Before(f.since),
		!f.until.IsZero() && l.Time.After(f.until),
		!f.fitsMTI(l):
		return false, nil
	}
	if f.open {
		if open, err := f.isOpen(ctx, s, l.ID); err != nil || !open {
			return false, err
		}
	}
	if f.terminal+f.stan+f.rrn == "" {
		return true, nil
	}
	w, err := f.whose(ctx, s, l)
	return (f.terminal == "" || f.terminal == w.terminal) && (f.stan == "" || f.stan == w.stan) &&
		(f.rrn == "" || f.rrn == w.rrn), err
}

// fitsMTI: a reversal's type is the profile's, and not on file; 04 anything stands for all.
func (f *filter) fitsMTI(l agent.Line) bool {
	if f.mti == "" || l.MTI == f.mti {
		return true
	}
	n, err := strconv.Atoi(f.mti)
	return err == nil && n/100%10 == 4 && strings.HasPrefix(l.Kind, "revers")
}

// learn notes what an entry says of its payment.
func (f *filter) learn(l agent.Line) {
	if l.ID == 0 {
		return
	}
	if len(f.known) >= knownMax {
		clear(f.known)
	}
	switch {
	case l.Kind == "asked":
		f.known[l.ID] = whose{terminal: l.Terminal, stan: l.STAN}
	case l.Kept != nil && l.Kept.RRN != "":
		if w, ok := f.known[l.ID]; ok {
			w.rrn = l.Kept.RRN
			f.known[l.ID] = w
		}
	}
}

func (f *filter) whose(ctx context.Context, s *Session, l agent.Line) (whose, error) {
	if l.ID == 0 { // a stray says it itself
		return whose{l.Terminal, l.STAN, l.RRN}, nil
	}
	if w, ok := f.known[l.ID]; ok && (f.rrn == "" || w.rrn != "") {
		return w, nil
	}
	story, err := s.Client.Payment(ctx, l.ID)
	if errors.Is(err, api.ErrRefused) { // forgotten meanwhile
		return whose{}, nil
	}
	for _, e := range story.Entries {
		f.learn(e)
	}
	return f.known[l.ID], err
}

// isOpen: whether a payment was open when it was first asked, which is when it matters.
func (f *filter) isOpen(ctx context.Context, s *Session, id uint64) (bool, error) {
	if f.still == nil {
		open, err := s.Client.Payments(ctx, "")
		if err != nil {
			return false, err
		}
		f.still = map[uint64]bool{}
		for _, p := range open {
			f.still[p.ID] = true
		}
	}
	return f.still[id], nil
}
