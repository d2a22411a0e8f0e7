package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/agent"
	"reversald/agent/slip"
	"reversald/hal"
	"reversald/hal/haltest"
	"reversald/iso"
	"reversald/store"
)

// shop is an agent with a real journal, a host at the other end of an in-memory line, and as many
// payment apps as a test wants, all of it on fake time. Everything that happens is settled before
// a verb returns, so that a test reads as a story.
type shop struct {
	t       *testing.T
	dir     string
	journal *store.Journal
	agent   *agent.Agent
	stop    context.CancelFunc
	ended   chan error

	// Changed before opens by those who need it otherwise.
	profile *iso.Profile
	options store.Options
	limits  agent.Limits
	clock   *haltest.Clock
	dialer  *cable
	paper   *printer // nil: there is none
	log     *notes
	tongue  tongue
	devices agent.Devices
	built   time.Time  // when the program was; zero: nobody knows
	signer  hal.Signer // the terminal's
	bank    hal.Signer // the host's; nil: it makes no MACs
	// answersSelf lets the host answer sign-ons and echoes by itself; nobody hears them then.
	answersSelf bool

	// atHost is called with every frame at the moment it is whole at the host, atTill with every
	// answer while the app is being told. Both may read the journal.
	atHost func(iso.Message)
	atTill func(iso.Message)

	mu      sync.Mutex
	emitted []string // whatever the agent said to people
	folders []string // where journals were kept, abandoned ones included
	hosts   []*host
}

// story tells one: f is given a shop whose agent is running and whose host has not been called.
func story(t *testing.T, f func(s *shop), changes ...func(*shop)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		for _, change := range changes {
			change(s)
		}
		s.opens()
		defer s.abandons()
		f(s)
		s.closes()
		s.leaksNothing()
	})
}

// firstLine is a change to a shop: what its first line does wrong.
func firstLine(f haltest.Faults) func(*shop) {
	return func(s *shop) { s.dialer.Add(f) }
}

// abandons lets go of everything when a story breaks off.
func (s *shop) abandons() {
	if !s.t.Failed() {
		return
	}
	s.stop()
	for _, h := range s.hosts {
		h.line.Reset()
	}
	synctest.Wait()
}

func newShop(t *testing.T) *shop {
	t.Helper()
	profile, err := iso.Builtin("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	config := agent.DefaultConfig()
	config.Host = []string{"host:1"}
	config.RedialMax = time.Second
	return &shop{
		t: t, dir: folder(t), profile: profile, limits: config.Limits(profile),
		clock:  haltest.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)),
		dialer: &cable{Dialer: haltest.NewDialer()}, log: &notes{}, tongue: tongues["iso87-ascii"],
	}
}

// folder is where a journal is kept for the time of a test: in memory where there is a place for
// that. No story here pulls the plug of the disk, and ten thousand syncs take their time.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "reversald")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// opens starts an agent on what is in the shop's folder.
func (s *shop) opens() {
	s.t.Helper()
	if err := s.tryOpen(); err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
	select {
	case err := <-s.ended:
		s.t.Fatalf("the agent ended at once: %v", err)
	default:
	}
}

func (s *shop) tryOpen() error {
	o := s.options
	o.Path = filepath.Join(s.dir, "journal.db")
	o.Boot = s.clock.BootID()
	o.AnyFilesystem = true
	journal, err := store.Open(o)
	if err != nil {
		return err
	}
	s.journal = journal
	s.folders = append(s.folders, s.dir)
	var slips func(slip.Slip)
	if s.paper != nil {
		slips = func(one slip.Slip) { s.paper.slips = append(s.paper.slips, one) }
	}
	s.agent = agent.New(agent.Parts{
		Slips:   slips,
		Profile: s.profile, Journal: journal, Dialer: s.dialer, Clock: s.clock, Signer: s.signer,
		Devices: s.devices, Times: agent.NewTimekeeper(s.clock, s.built),
		Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, s.limits)
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.ended = stop, make(chan error, 1)
	go func(a *agent.Agent, ended chan<- error) { ended <- a.Run(ctx) }(s.agent, s.ended)
	return nil
}

// closes stops the agent in order.
func (s *shop) closes() {
	s.t.Helper()
	s.looksAround()
	s.stop()
	if err := <-s.ended; err != nil {
		s.t.Errorf("the agent ended: %v", err)
	}
	if err := s.journal.Close(); err != nil {
		s.t.Error(err)
	}
	s.lastPages()
}

// killed is KILL: what the agent has written so far, synced or only handed to the system, is what
// the next one finds. Nothing the old one does while it goes away reaches those files.
func (s *shop) killed() {
	s.t.Helper()
	synctest.Wait()
	next := folder(s.t)
	for _, name := range []string{"journal.db", "journal.db.ring", "journal.db.key"} {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(next, name), data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.stop()
	if err := <-s.ended; err != nil {
		s.t.Error(err)
	}
	_ = s.journal.Close()
	s.dir = next
}

// restarts is a KILL and the next start.
func (s *shop) restarts() {
	s.t.Helper()
	s.killed()
	s.opens()
}

// passes lets time pass.
func (s *shop) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// settles lets what is only noted reach the journal.
func (s *shop) settles() { s.passes(s.limits.Linger + time.Millisecond) }

// lines is the whole journal.
func (s *shop) lines() []agent.Line {
	s.t.Helper()
	s.settles()
	return s.linesNow()
}

// linesNow is what is in the journal's file at this moment.
func (s *shop) linesNow() []agent.Line {
	s.t.Helper()
	var all []agent.Line
	for from := uint64(1); ; {
		page, err := s.agent.Lines(from, 1000)
		if err != nil {
			s.t.Errorf("journal: %v", err)
		}
		s.forwards(from, page)
		if all = append(all, page...); len(page) < 1000 {
			return all
		}
		from = page[len(page)-1].Seq + 1
	}
}

// forwards compares a page with what those get who only forward it.
func (s *shop) forwards(from uint64, page []agent.Line) {
	s.t.Helper()
	encoded, err := s.agent.Encoded(from, 1000)
	if err != nil || len(encoded) < len(page) {
		s.t.Errorf("%d of %d lines encoded: %v", len(encoded), len(page), err)
		return
	}
	for i, l := range page {
		want, err := l.Encode()
		var got, wanted any
		if err = errors.Join(err, json.Unmarshal(encoded[i].JSON, &got),
			json.Unmarshal(want.JSON, &wanted)); err != nil {
			s.t.Error(err)
		}
		if encoded[i].Seq != l.Seq || encoded[i].ID != l.ID || encoded[i].Kind != l.Kind ||
			!reflect.DeepEqual(got, wanted) {
			s.t.Errorf("forwarded: %s\nthe line is %s", encoded[i].JSON, want.JSON)
		}
	}
}

// story is what the journal holds about the newest payment with a trace number.
func (s *shop) story(stan string) []agent.Line {
	s.t.Helper()
	return storyIn(s.lines(), stan)
}

func storyIn(lines []agent.Line, stan string) []agent.Line {
	id := uint64(0)
	for _, l := range lines {
		if l.Kind == "asked" && l.STAN == stan {
			id = l.ID
		}
	}
	return slices.DeleteFunc(slices.Clone(lines), func(l agent.Line) bool {
		return l.ID != id || id == 0
	})
}

func kinds(lines []agent.Line) []string {
	var names []string
	for _, l := range lines {
		names = append(names, l.Kind)
	}
	return names
}

// onFile is the promise kept: these and no other entries, in this order, about the newest payment
// with a trace number.
func (s *shop) onFile(stan string, want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, kinds(s.story(stan))); diff != "" {
		s.t.Errorf("entries of payment %s (-want +got):\n%s", stan, diff)
	}
}

// id is the number of the newest payment with a trace number.
func (s *shop) id(stan string) uint64 {
	s.t.Helper()
	story := s.story(stan)
	if len(story) == 0 {
		s.t.Fatalf("payment %s is not on file", stan)
	}
	return story[0].ID
}

// strays are the entries that belong to no payment.
func (s *shop) strays() []agent.Line {
	s.t.Helper()
	return slices.DeleteFunc(s.lines(), func(l agent.Line) bool { return l.Kind != "stray" })
}

// status is what the agent says of itself.
func (s *shop) status() agent.Status {
	s.t.Helper()
	status, err := s.agent.Status(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

// owes checks how many payments are being reversed, and how many need a person.
func (s *shop) owes(owed, stuck int) {
	s.t.Helper()
	if st := s.status(); st.Owed != owed || st.Stuck != stuck {
		s.t.Errorf("owed %d and stuck %d, want %d and %d", st.Owed, st.Stuck, owed, stuck)
	}
}

// looksAround takes what people can see for the check that no card shows in it.
func (s *shop) looksAround() {
	s.t.Helper()
	status, err := s.agent.Status(context.Background())
	if err != nil {
		return // ended by a fault, as the story wants it
	}
	open, err := s.agent.Open(context.Background())
	if err != nil {
		s.t.Error(err)
	}
	s.emits(status, open, s.lines())
}

func (s *shop) emits(things ...any) {
	for _, thing := range things {
		text, err := json.Marshal(thing)
		if err != nil {
			s.t.Error(err)
		}
		s.mu.Lock()
		s.emitted = append(s.emitted, string(text))
		s.mu.Unlock()
	}
}

// lastPages reads what every journal of the story holds in the clear.
func (s *shop) lastPages() {
	s.t.Helper()
	for _, dir := range s.folders {
		for _, name := range []string{"journal.db", "journal.db.ring"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				s.t.Error(err)
			}
			s.mu.Lock()
			s.emitted = append(s.emitted, string(data))
			s.mu.Unlock()
		}
	}
}

// secrets of the test's card, in every form they could take: the whole number as text and packed,
// the digits that must not show, what follows in the track, the PIN block, the verification value.
var secrets = []string{
	"4111111111111111", "1111111111", "\x41\x11\x11\x11\x11\x11\x11\x11",
	"29122010000012345678", "0123456789ABCDEF", "\x01\x23\x45\x67\x89\xab\xcd\xef", "CVV2=123",
}

// leaksNothing: no card data in logs, entries, status or files. It ends every story.
func (s *shop) leaksNothing() {
	s.t.Helper()
	s.emitted = append(s.emitted, s.log.text())
	for _, text := range s.emitted {
		if leak := leakIn(text); leak != "" {
			s.t.Errorf("card data shows: ...%q...", leak)
		}
	}
}

// leakIn is the place in a text where card data shows, or "".
func leakIn(text string) string {
	for _, secret := range secrets {
		if at := strings.Index(text, secret); at >= 0 {
			return text[max(0, at-60):min(len(text), at+30)]
		}
	}
	return ""
}

// notes is where the log goes.
type notes struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.Write(p)
}

func (n *notes) text() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.String()
}

// sale is what a till asks, with everything in it that must not be kept.
func sale(terminal, stan string) map[int]string {
	return map[int]string{
		2: "4111111111111111", 3: "000000", 4: "000000001234", 7: "0301090000", 11: stan,
		12: "090000", 13: "0301", 14: "2912", 22: "021", 25: "00",
		35: "4111111111111111=29122010000012345678", 41: terminal, 42: "MERCHANT0000001",
		43: "CORNER SHOP", 48: "CVV2=123", 49: "840", 52: "0123456789ABCDEF",
	}
}

// host is the acquirer's end of one line.
type host struct {
	shop *shop
	line *haltest.Line

	mu    sync.Mutex
	heard []iso.Message
	raw   [][]byte // the bytes of those
	body  []byte   // of the message looked at last
	over  bool     // the line has ended
}

// lineComesUp waits for the agent's next line.
func (s *shop) lineComesUp() *host {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	line, err := s.dialer.Accept(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	h := &host{shop: s, line: line}
	s.hosts = append(s.hosts, h)
	go h.listen()
	synctest.Wait()
	return h
}

func (h *host) listen() {
	frames := h.shop.profile.NewFrameReader(h.line.Host)
	for {
		body, err := frames.Next()
		if err != nil {
			h.mu.Lock()
			h.over = true
			h.mu.Unlock()
			return
		}
		m, err := h.shop.profile.Decode(body)
		if err != nil {
			h.shop.t.Errorf("the host can not read %x: %v", body, err)
			continue
		}
		if h.answersSelf(body, m) {
			continue
		}
		if h.shop.atHost != nil {
			h.shop.atHost(m)
		}
		h.mu.Lock()
		h.heard, h.raw = append(h.heard, m), append(h.raw, body)
		h.mu.Unlock()
	}
}

// hears takes the oldest message that the host has not looked at, which must be of this type.
func (h *host) hears(mti string) iso.Message {
	h.shop.t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.heard) == 0 {
		h.shop.t.Fatalf("the host hears nothing, want %s", mti)
	}
	m := h.heard[0]
	h.body = h.raw[0]
	h.heard, h.raw = h.heard[1:], h.raw[1:]
	if m.MTI != mti {
		h.shop.t.Fatalf("the host hears %s (trace %s), want %s", m.MTI, m.Fields[11], mti)
	}
	return m
}

func (h *host) hearsNothing() {
	h.shop.t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.heard {
		h.shop.t.Errorf("the host hears %s (trace %s), want silence", m.MTI, m.Fields[11])
	}
	h.heard, h.raw = nil, nil
}

// all takes everything that the host has not looked at.
func (h *host) all() []iso.Message {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.heard
	h.heard, h.raw = nil, nil
	return all
}

// says sends a message of the host's.
func (h *host) says(mti string, fields map[int]string) {
	h.shop.t.Helper()
	h.saysBytes(h.words(mti, fields))
}

func (h *host) saysBytes(body []byte) {
	h.shop.t.Helper()
	h.writes(body)
	synctest.Wait()
}

// answersAll answers many messages without waiting in between.
func (h *host) answersAll(all []iso.Message, code string) {
	h.shop.t.Helper()
	for _, m := range all {
		h.writes(h.words(h.shop.profile.AnswerMTI(m.MTI), answer(m, code)))
	}
	synctest.Wait()
}

func (h *host) writes(body []byte) {
	h.shop.t.Helper()
	wire, err := h.shop.profile.AppendFrame(nil, body)
	if err != nil {
		h.shop.t.Fatal(err)
	}
	if _, err := h.line.Host.Write(wire); err != nil {
		h.shop.t.Fatal(err)
	}
}

// answers a message with a code.
func (h *host) answers(m iso.Message, code string) {
	h.shop.t.Helper()
	h.says(h.shop.profile.AnswerMTI(m.MTI), answer(m, code))
}

// answer is what a host sends back: an echo, its reference and its code.
func answer(m iso.Message, code string) map[int]string {
	fields := map[int]string{37: "000000000042", 39: code}
	if code == "00" || code == "000" {
		fields[38] = "A1B2C3"
	}
	for _, n := range []int{3, 4, 7, 11, 12, 13, 41, 42, 49, 60, 70} {
		if v, ok := m.Fields[n]; ok {
			fields[n] = v
		}
	}
	return fields
}

// cut ends the line, the way a cable does.
func (h *host) cut() {
	h.line.Reset()
	synctest.Wait()
}

// till is a payment app.
type till struct {
	shop     *shop
	name     string
	terminal string

	mu      sync.Mutex
	heard   [][]byte
	hung    []string
	result  agent.TellResult // of the next Tell
	tickets []uint64         // of what was to be told later
}

func (s *shop) till(terminal string) *till {
	return &till{shop: s, name: "till of " + terminal, terminal: terminal, result: agent.TellDelivered}
}

// Tell implements agent.App.
func (p *till) Tell(ticket uint64, body []byte) agent.TellResult {
	if m, err := p.shop.profile.Decode(body); err != nil {
		p.shop.t.Errorf("%s can not read %x: %v", p.name, body, err)
	} else if p.shop.atTill != nil {
		p.shop.atTill(m)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.result == agent.TellGone {
		return p.result
	}
	p.heard = append(p.heard, bytes.Clone(body))
	if p.result == agent.TellWaits {
		p.tickets = append(p.tickets, ticket)
	}
	return p.result
}

// Hang implements agent.App.
func (p *till) Hang(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung = append(p.hung, why)
}

// Name implements agent.App.
func (p *till) Name() string { return p.name }

// takes sets what becomes of the answers from here on.
func (p *till) takes(r agent.TellResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result = r
}

// asks for a sale.
func (p *till) asks(stan string) []byte {
	p.shop.t.Helper()
	return p.sends(p.shop.tongue.ask, p.shop.tongue.sale(p.terminal, stan))
}

// reverses a sale, by a message of the app's own.
func (p *till) reverses(stan string) {
	p.shop.t.Helper()
	fields := sale(p.terminal, stan)
	for _, n := range []int{35, 48, 52} {
		delete(fields, n)
	}
	fields[39] = "17"
	fields[90] = "0200" + stan + "0301090000" + strings.Repeat("0", 22)
	p.sends("0400", fields)
}

// sends a message and returns its bytes.
func (p *till) sends(mti string, fields map[int]string) []byte {
	p.shop.t.Helper()
	body, err := p.shop.profile.Compose(mti, fields)
	if err != nil {
		p.shop.t.Fatal(err)
	}
	p.sendsBytes(body)
	return body
}

func (p *till) sendsBytes(body []byte) {
	p.shop.agent.Frame(p, bytes.Clone(body))
	synctest.Wait()
}

// leaves is the app's connection ending.
func (p *till) leaves() {
	p.takes(agent.TellGone)
	p.shop.agent.Gone(p)
	synctest.Wait()
}

// hearsBytes takes the oldest answer that the app has not looked at.
func (p *till) hearsBytes() []byte {
	p.shop.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.heard) == 0 {
		p.shop.t.Fatalf("%s hears nothing", p.name)
	}
	body := p.heard[0]
	p.heard = p.heard[1:]
	return body
}

// hears takes the oldest answer, which must be of this type and have this code.
func (p *till) hears(mti, code string) iso.Message {
	p.shop.t.Helper()
	m, err := p.shop.profile.Decode(p.hearsBytes())
	if err != nil {
		p.shop.t.Fatal(err)
	}
	if m.MTI != mti || m.Fields[39] != code {
		p.shop.t.Fatalf("%s hears %s with code %q, want %s with %q", p.name,
			m.MTI, m.Fields[39], mti, code)
	}
	return m
}

func (p *till) hearsNothing() {
	p.shop.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, body := range p.heard {
		m, err := p.shop.profile.Decode(body)
		p.shop.t.Errorf("%s hears %s with code %q, want silence (%v)", p.name, m.MTI, m.Fields[39], err)
	}
	p.heard = nil
}

func (p *till) isHungUpOn() {
	p.shop.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.hung) == 0 {
		p.shop.t.Errorf("%s is still connected", p.name)
	}
}

var _ io.Writer = (*notes)(nil)

// iso0200 and iso0400 are messages for a host to answer that it need not have heard.
func iso0200(stan string) iso.Message {
	return iso.Message{MTI: "0200", Fields: sale("TERM0001", stan)}
}

func iso0400(stan string) iso.Message {
	return iso.Message{MTI: "0400", Fields: sale("TERM0001", stan)}
}
