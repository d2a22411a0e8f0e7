package verbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"reversald/agent/checkup"
	"reversald/agent/doors/api"
	"reversald/agent/typeset"
)

func doctorVerb() *Verb {
	return &Verb{
		Name: "doctor", Short: "is everything in order here, and what to do if not?", Local: true,
		Long: "" +
			"doctor looks at disk, file system, journal, clock, key, permissions, daemon and\n" +
			"line, and says what to do. It works with the daemon away too. Exit code 0: all\n" +
			"is well; 1: somebody should look; 2: payments are in danger, or stuck.",
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			if s.Config == nil {
				return s.wrong("doctor needs the configuration: name it with --config")
			}
			plain := *s
			if s.JSON {
				plain.Lang = English
			}
			d := doctor{s: &plain}
			d.examine(ctx)
			return d.report()
		},
	}
}

// Grade is how bad a finding is; it is the exit code as well.
type Grade uint8

// The grades.
const (
	Good Grade = iota
	Look       // somebody should look
	Bad        // payments are in danger, or stuck
)

// String is the grade in JSON.
func (g Grade) String() string {
	switch g {
	case Good:
		return "ok"
	case Look:
		return "warn"
	case Bad:
	}
	return "bad"
}

// MarshalText is String.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// Finding is one line of doctor --json. Its keys and names are stable, its sentences English.
type Finding struct {
	Name  string `json:"name"`
	Grade Grade  `json:"grade"`
	Text  string `json:"text"`
	Todo  string `json:"todo,omitempty"`
}

// Diagnosis is the answer of doctor --json.
type Diagnosis struct {
	V        int       `json:"v"`
	Grade    Grade     `json:"grade"`
	Findings []Finding `json:"findings"`
}

// Where a figure becomes a finding.
const (
	freeBytesMin  = 16 << 20 // less than a quarter of a full journal
	freeBytesBad  = 4 << 20  // a compaction, or a salvage, may not fit any more
	heardAgoMax   = 15 * time.Minute
	reachTime     = 2 * time.Second
	journalFullOf = 10 // a warning when less than one tenth of the ceiling is left
)

// doctor collects findings.
type doctor struct {
	s     *Session
	found []Finding
}

func (d *doctor) good(name, text string)       { d.add(Finding{name, Good, text, ""}) }
func (d *doctor) look(name, text, todo string) { d.add(Finding{name, Look, text, todo}) }
func (d *doctor) bad(name, text, todo string)  { d.add(Finding{name, Bad, text, todo}) }
func (d *doctor) add(f Finding)                { d.found = append(d.found, f) }

func (d *doctor) examine(ctx context.Context) {
	st, err := d.s.Client.Status(ctx)
	away := err != nil
	facts := checkup.Look(*d.s.Config)
	d.place("disk", facts.Dir, facts.Place.Free, facts.PlaceErr, facts.Place.Filesystem,
		facts.Place.Unfit)
	if facts.RingElse {
		d.place("ring's disk", facts.Ring.Path, facts.RingPlace.Free, facts.RingPlaceErr,
			facts.RingPlace.Filesystem, facts.RingPlace.Unfit)
	}
	d.files(facts, away)
	d.clock(facts)
	if away {
		d.daemonAway(ctx, err)
		return
	}
	d.daemon(st)
	d.line(st)
	d.payments(st)
}

// place is the file system of a directory.
func (d *doctor) place(name, where string, free int64, err error, kind string, unfit bool) {
	s := d.s
	switch {
	case err != nil:
		d.bad(name, s.f("%s can not be looked at: %s", where, err),
			s.f("mount it, or correct journal and ring in the configuration"))
		return
	case unfit && s.Config.AnyFilesystem:
		d.look(name, s.f("%s is on %s, which forgets at a power cut, and any_filesystem allows it",
			where, kind), s.f("good for tests only: move the journal to ext4, f2fs or ubifs"))
	case unfit:
		d.bad(name, s.f("%s is on %s, which can not keep a journal", where, kind),
			s.f("move the journal to ext4, f2fs or ubifs"))
	case free >= freeBytesMin:
		d.good(name, s.f("%s on %s, %s free", where, kind, size(free)))
		return
	}
	todo := s.f("make room: the journal keeps a reserve for what is open, and refuses new sales")
	switch {
	case free < freeBytesBad:
		d.bad("disk room", s.f("only %s free on %s", size(free), where), todo)
	case free < freeBytesMin:
		d.look("disk room", s.f("only %s free on %s", size(free), where), todo)
	}
}

func (d *doctor) files(f checkup.Facts, away bool) {
	s := d.s
	switch {
	case errors.Is(f.Journal.Err, fs.ErrNotExist) && errors.Is(f.Key.Err, fs.ErrNotExist):
		d.good("journal", s.f("%s is not there yet: the first start makes it", f.Journal.Path))
	case errors.Is(f.Journal.Err, fs.ErrNotExist):
		d.bad("journal", s.f("%s is gone, and its key is there", f.Journal.Path),
			s.f("start reversald: it rebuilds the journal from the ring, or says why not"))
	case f.Journal.Err != nil:
		d.bad("journal", s.f("%s can not be looked at: %s", f.Journal.Path, f.Journal.Err),
			s.f("ask as the user that reversald runs as"))
	default:
		d.good("journal", s.f("%s, %s, last written %s", f.Journal.Path, size(f.Journal.Size),
			s.clock(f.Journal.Changed, "2006-01-02 15:04:05")))
	}
	if f.Journal.Err == nil && f.Ring.Err != nil {
		d.look("ring", s.f("the second copy %s can not be looked at: %s", f.Ring.Path, f.Ring.Err),
			s.f("the next start makes it anew; find out who took it"))
	}
	d.key(f)
	switch {
	case f.DirErr != nil:
	case f.DirMode.Perm()&0o002 != 0 && f.DirMode&fs.ModeSticky == 0:
		d.bad("permissions", s.f("everybody may write in %s", f.Dir), "chmod 700 "+Clean(f.Dir))
	case !f.Writable && away:
		d.look("permissions", s.f("this user may not write in %s", f.Dir),
			s.f("ask as the user that reversald runs as"))
	default:
		d.good("permissions", s.f("%s has mode %s", f.Dir, f.DirMode.Perm()))
	}
}

func (d *doctor) key(f checkup.Facts) {
	s := d.s
	switch {
	case errors.Is(f.Key.Err, fs.ErrNotExist) && f.Journal.Err == nil:
		d.bad("key", s.f("%s is gone: cards in the journal can not be read any more", f.Key.Path),
			s.f("put it back from where it is kept; "+
				"without it no reversal with a card can be built"))
	case errors.Is(f.Key.Err, fs.ErrNotExist):
	case f.Key.Err != nil:
		d.look("key", s.f("%s can not be looked at: %s", f.Key.Path, f.Key.Err),
			s.f("ask as the user that reversald runs as"))
	case f.Key.Mode.Perm()&0o077 != 0:
		d.bad("key", s.f("%s has mode %s: others can read it", f.Key.Path, f.Key.Mode.Perm()),
			s.f("chmod 600 it, find out who could read it, and then: %s", "reversald key rotate"))
	default:
		d.good("key", s.f("%s, mode %s", f.Key.Path, f.Key.Mode.Perm()))
	}
}

func (d *doctor) clock(f checkup.Facts) {
	s := d.s
	now := s.clock(f.Wall, "2006-01-02 15:04:05 -0700")
	if f.ClockTrusted {
		d.good("clock", s.f("%s, no earlier than the journal", now))
		return
	}
	d.look("clock", s.f("%s can not be right: the journal was written at %s", now,
		s.clock(f.Floor, "2006-01-02 15:04:05")),
		s.f("set the clock; order and reversals do not depend on it, dates on slips do"))
}

func (d *doctor) daemonAway(ctx context.Context, err error) {
	s := d.s
	if errors.Is(err, fs.ErrPermission) {
		d.look("daemon", s.f("this user may not ask it: %s", s.Config.Socket),
			s.f("ask as the user that reversald runs as"))
	} else {
		d.bad("daemon", s.f("it does not answer on %s: nothing is reversed meanwhile",
			s.Config.Socket), s.f("start it: reversald run; its log says why it ended"))
	}
	for _, address := range s.Config.Host {
		if err := checkup.Reach(ctx, address, reachTime); err != nil {
			d.look("host", s.f("%s is not reached: %s", address, err),
				s.f("look at the cable, the modem, and host in the configuration"))
			continue
		}
		d.good("host", s.f("%s takes connections", address))
	}
}

func (d *doctor) daemon(st api.Status) {
	s := d.s
	d.good("daemon", s.f("%s, pid %d, since %s", st.Version, st.PID, st.Started))
	switch {
	case st.Faults > 0:
		d.bad("journal check", s.f("%d faults found", st.Faults),
			s.f("restart reversald: the start copies what is good into new files"))
	case st.Damaged > 0:
		d.bad("journal check", s.f("%d payments damaged in both files", st.Damaged),
			s.f("%s shows them: ask the acquirer about each", s.command("stuck")))
	case st.Checked > 0:
		d.good("journal check", s.f("%d of %d entries checked, sound", st.Checked, st.Entries))
	}
	if left := st.SizeMax - st.Size; st.SizeMax > 0 && left < st.SizeMax/journalFullOf {
		d.look("journal size", s.f("%s of %s", size(st.Size), size(st.SizeMax)),
			s.f("closed payments are forgotten to make room; raise journal_bytes_max to keep more"))
	}
	if len(st.Overrides) > 0 {
		d.look("settings", s.f("weakened by %s", strings.Join(st.Overrides, ", ")),
			s.f("take them out of the configuration, but for tests"))
	}
	if kind := s.Config.Signer; len(kind) > 5 && kind[:5] == "soft:" {
		d.look("signer", s.f("MAC keys lie in a file: %s", kind[5:]),
			s.f("good for development only: use the terminal's secure module"))
	}
	d.good("evidence key", st.EvidenceKey)
}

func (d *doctor) line(st api.Status) {
	s := d.s
	todo := s.f("look at the cable, the modem, and host in the configuration")
	switch {
	case st.Host == "":
		d.look("link", s.linkDown(st), todo)
	case st.HeardAgo == nil:
		d.look("link", s.f("up to %s since %s, and the host has said nothing yet", st.Host,
			s.clock(st.LinkSince, "01-02 15:04:05")),
			s.f("nothing may have been asked yet; a sale, or an echo, will tell"))
	case time.Duration(*st.HeardAgo) > heardAgoMax:
		d.look("link", s.f("up to %s, but %s", st.Host, s.heard(st)),
			s.f("set an echo in the profile, so that a dead line is noticed before a sale"))
	default:
		d.good("link", s.f("up to %s. %s", st.Host, s.heard(st)))
	}
}

func (d *doctor) payments(st api.Status) {
	s := d.s
	clean := st.Stuck+st.Overdue+st.Held == 0
	if st.Stuck > 0 {
		d.bad("stuck", s.f("%d payments need a person", st.Stuck),
			s.f("%s shows them, %s tells what to do", s.command("stuck"), s.command("why ID")))
	}
	if st.Overdue > 0 {
		d.bad("overdue", s.f("%d reversals are older than they should be", st.Overdue),
			s.f("%s shows them, %s tells what to do", s.command("open"), s.command("why ID")))
	}
	if st.Held > 0 {
		d.look("held", s.f("%d reversals were stopped by a person", st.Held),
			s.f("%s lets one go on", s.command("release ID")))
	}
	if clean {
		d.good("payments", s.f("%d open, %d being reversed, none stuck", st.Open, st.Owed))
	}
}

// report prints what was found, the worst last, where it is still on the screen.
func (d *doctor) report() error {
	worst := Good
	for _, f := range d.found {
		worst = max(worst, f.Grade)
	}
	if d.s.JSON {
		if err := d.s.json(Diagnosis{schemaVersion, worst, d.found}); err != nil {
			return err
		}
	} else {
		for grade := Good; grade <= Bad; grade++ {
			for _, f := range d.found {
				if f.Grade == grade {
					d.print(f)
				}
			}
		}
	}
	if worst == Good {
		return nil
	}
	return Outcome{int(worst)}
}

func (d *doctor) print(f Finding) {
	s := d.s
	mark := ""
	switch f.Grade {
	case Good:
		mark = s.green(typeset.Pad(s.Tr("ok"), 4))
	case Look:
		mark = s.bold(typeset.Pad(s.Tr("LOOK"), 4))
	case Bad:
		mark = s.red(typeset.Pad(s.Tr("BAD"), 4))
	}
	const begin, margin = 5, 20 // of the words, and of what follows them on further lines
	text := typeset.Pad("", begin) + typeset.Pad(s.Tr(f.Name), margin-begin-1) + " " + Clean(f.Text)
	text = typeset.Wrap(text, s.width(), margin)
	_, _ = io.WriteString(s.Out, mark+text[begin-1:]+"\n")
	if f.Todo != "" {
		todo := typeset.Wrap(typeset.Pad("", margin)+s.f("do: %s", f.Todo), s.width(), margin+4)
		_, _ = io.WriteString(s.Out, todo+"\n")
	}
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d KB", n>>10)
}
