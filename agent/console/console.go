package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"reversald/agent"
	"reversald/agent/badge"
	"reversald/agent/verbs"
	"reversald/hal"
)

// Client is what the console needs of the agent: what its verbs need, and to write down what was
// said. An api.Client is one.
type Client interface {
	verbs.Client
	Command(ctx context.Context, by, what string) error
	Evidence(ctx context.Context, id uint64, by string) (agent.Bundle, error)
}

// Detour sends the host's line over the cable, and back to the network.
type Detour interface {
	// Take makes every dial go to d, and hangs up the line there is.
	Take(d hal.Dialer)
	// Leave ends that.
	Leave()
}

// Options are what a console is made of.
type Options struct {
	Device   string // of the port, for people
	Baud     int
	Open     func(ctx context.Context) (Port, error)
	Charset  Charset
	Lang     verbs.Lang
	Terminal string // in the prompt and in every challenge
	Keys     []badge.Key
	PIN      *badge.PIN    // nil: none
	State    string        // the file that remembers failed log-ins
	Idle     time.Duration // until somebody who does not type is logged out
	Client   Client
	Config   *agent.Config // for the verbs
	Hosts    []string      // that a laptop may be asked for, in relay
	Detour   Detour        // nil: no relay
	Log      *slog.Logger
}

const (
	// reopenMin and reopenMax are the waits between tries to open a port that is not there.
	reopenMin = 200 * time.Millisecond
	reopenMax = 5 * time.Second
	// settle is how long what comes after opening is thrown away: it was not typed for us.
	settle = 300 * time.Millisecond
	// quietLimit bounds the wait for a line to fall silent.
	quietLimit = 10 * time.Second
	// askWait is how long the agent may take to answer the console itself.
	askWait = 5 * time.Second
)

// Console serves one port. Make it with New and give it a goroutine with Run.
type Console struct {
	options Options
	lock    *lockout
}

// New makes a console. It opens nothing but the file of failed log-ins.
func New(o Options) *Console {
	lock, err := openLockout(o.State, time.Now())
	if err != nil {
		o.Log.Error("failed log-ins can not be counted: the console is locked for a while",
			slog.String("err", err.Error()))
	}
	return &Console{options: o, lock: lock}
}

// Run serves the port until ctx ends: it opens it, waits for it where it is not there, and opens it
// again when it comes back.
func (c *Console) Run(ctx context.Context) {
	wait, said := reopenMin, ""
	for ctx.Err() == nil {
		port, err := c.options.Open(ctx)
		if err != nil {
			if said != err.Error() {
				said = err.Error()
				c.options.Log.Warn("console waits for its port", slog.String("err", said))
			}
			pause(ctx, wait)
			wait = min(2*wait, reopenMax)
			continue
		}
		c.options.Log.Info("console is open", slog.String("port", c.options.Device))
		wait, said = reopenMin, ""
		err = c.serve(ctx, port)
		_ = port.Close()
		if ctx.Err() == nil {
			c.options.Log.Info("console has lost its port", slog.String("err", err.Error()))
			pause(ctx, reopenMin)
		}
	}
}

// serve takes one visitor after the other, until the port fails or ctx ends.
func (c *Console) serve(ctx context.Context, port Port) error {
	stop := make(chan struct{})
	f := newFeed(port, stop)
	unblock := context.AfterFunc(ctx, func() { _ = port.Close() })
	defer func() {
		unblock()
		close(stop)
		_ = port.Close()
		<-f.gone
	}()
	for {
		v := newVisit(c, f, port)
		err := v.run(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, hal.ErrLinkGone), errors.Is(err, net.ErrClosed),
			errors.Is(err, os.ErrDeadlineExceeded), v.screen.err != nil:
			return err
		case err == nil:
			return errors.New("the port ended")
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// visit is one person at the console, from the first ENTER to the log-out.
type visit struct {
	console *Console
	options *Options
	feed    *feed
	keys    *keys
	screen  *screen
	guard   *echoGuard
	who     string // logged in as; empty: nobody
	until   time.Time
	height  int
	listed  []uint64 // what a number alone stands for
	history history
	length  int   // of the line being typed, in bytes, about
	reason  error // why the line editor's reads ended
}

func newVisit(c *Console, f *feed, port Port) *visit {
	v := &visit{
		console: c, options: &c.options, feed: f, guard: &echoGuard{}, height: heightDefault,
	}
	v.screen = &screen{port: port, charset: c.options.Charset, guard: v.guard}
	v.keys = &keys{next: v.next, charset: c.options.Charset}
	return v
}

// next is the feed's next byte, past the echo guard.
func (v *visit) next(wait time.Duration) (byte, error) {
	b, err := v.feed.Next(wait)
	if err == nil && v.guard.hear(b) {
		return 0, errEcho
	}
	return b, err
}

// run is the whole visit. Its error is why it ended.
func (v *visit) run(ctx context.Context) error {
	if err := v.feed.drop(settle, quietLimit); err != nil {
		return err
	}
	if err := v.knock(ctx); err != nil {
		return v.turnedAway(err)
	}
	err := v.login(ctx)
	if err != nil {
		return v.turnedAway(err)
	}
	err = v.shell(ctx)
	return v.farewell(ctx, err)
}

// knock waits for ENTER. Whatever else comes is nobody.
func (v *visit) knock(ctx context.Context) error {
	for ctx.Err() == nil {
		key, err := v.keys.read(time.Second)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return err
		}
		if key[0] == keyEnter {
			return nil
		}
	}
	return ctx.Err()
}

// turnedAway ends a visit in which nobody was let in. A line that echoes is answered with silence.
func (v *visit) turnedAway(err error) error {
	if errors.Is(err, errEcho) {
		if derr := v.feed.drop(time.Second, quietLimit); derr != nil {
			return derr
		}
	}
	return err
}

// farewell ends the visit of somebody who was logged in.
func (v *visit) farewell(ctx context.Context, cause error) error {
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWait)
	defer cancel()
	why := cause.Error()
	if errors.Is(cause, hal.ErrLinkGone) {
		why = "the cable is gone"
	}
	v.note(note, "logout: "+why)
	v.options.Log.Info("console log-out", slog.String("who", v.who), slog.String("why", why))
	text := "\n" + v.tr("logged out")
	if why != errLogout.Error() {
		text += ": " + v.tr(why)
	}
	_ = v.screen.say(text + "\n")
	return v.turnedAway(cause)
}

// note writes down in the journal what was said. False: it could not.
func (v *visit) note(ctx context.Context, what string) bool {
	by := v.who
	if by == "" {
		by = "nobody"
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	err := v.options.Client.Command(ctx, clean("console "+by, byMax), clean(what, whatMax))
	if err != nil {
		v.options.Log.Warn("a console command is not in the journal",
			slog.String("err", err.Error()))
	}
	return err == nil
}

// byMax and whatMax are what the agent takes; see agent.Command.
const (
	byMax   = 100
	whatMax = 400
)

// say tells in the visitor's language.
func (v *visit) say(format string, args ...any) error {
	return v.screen.say(fmt.Sprintf(v.tr(format), args...))
}

// tr is a text of ours in the console's language.
func (v *visit) tr(text string) string {
	if v.options.Lang == verbs.Chinese {
		if zh, found := chinese[text]; found {
			return zh
		}
	}
	return text
}

// prompt is what a line begins with, the stuck payments counted.
func (v *visit) prompt(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	name := "reversald " + badge.Plain(v.options.Terminal)
	status, err := v.options.Client.Status(ctx)
	switch {
	case err != nil:
		return name + " [" + v.tr("no answer") + "]> "
	case status.Stuck > 0:
		return name + " [" + fmt.Sprintf(v.tr("%d stuck"), status.Stuck) + "]> "
	}
	return name + "> "
}

// words splits a line at blanks; quotes hold words together.
func words(line string) []string {
	var out []string
	var word strings.Builder
	inside, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			inside, quote = true, r
		case r == ' ':
			if inside {
				out = append(out, word.String())
				word.Reset()
			}
			inside = false
		default:
			inside = true
			word.WriteRune(r)
		}
	}
	if inside {
		out = append(out, word.String())
	}
	return out
}
