package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The cards that are sold with. All are numbers that the schemes publish for tests.
var testPANs = []string{"4111111111111111", "6222021234567890128", "5413330089020011"}

// trackTail is what acquirerd sell --track puts behind a card's number and expiry in track 2, as
// far as the longest number leaves room for it.
const trackTail = "2010000012345"

// pinBlock is what the sales carry in DE 52.
const pinBlock = "A7C3E19B5D2F8064"

// needle is one way in which a secret may be written.
type needle struct {
	what    string
	pattern []byte
}

// needles are all the ways in which a secret of digits may lie in a file: as text, packed two digits
// to a byte at either alignment, and either of them as hexadecimal or in base64.
func needles(what, digits string) []needle {
	n := []needle{{what + " as text", []byte(digits)}}
	add := func(how string, raw []byte) {
		n = append(n, needle{what + how, raw},
			needle{what + how + " in hex", []byte(hex.EncodeToString(raw))},
			needle{what + how + " in HEX", []byte(strings.ToUpper(hex.EncodeToString(raw)))})
	}
	for shift := range 2 {
		inner := digits[shift:]
		raw, err := hex.DecodeString(inner[:len(inner)/2*2])
		if err != nil {
			panic(err)
		}
		add(fmt.Sprintf(" packed from digit %d", shift+1), raw)
	}
	add(" as bytes", []byte(digits))
	for shift := range 3 { // base64 that starts at any byte; the ends depend on the neighbours
		code := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), digits...))
		n = append(n, needle{what + " in base64", []byte(code[4 : len(code)-4])})
	}
	return n
}

func secrets(t *testing.T) []needle {
	t.Helper()
	var all []needle
	for _, pan := range testPANs {
		all = append(all, needles("card "+pan[:6], pan)...)
	}
	all = append(all, needles("track 2", trackTail)...)
	raw, err := hex.DecodeString(pinBlock)
	if err != nil {
		t.Fatal(err)
	}
	return append(all, needle{"PIN block", raw}, needle{"PIN block as text", []byte(pinBlock)},
		needle{"PIN block as text", []byte(strings.ToLower(pinBlock))},
		needle{"PIN block in base64", []byte(base64.RawStdEncoding.EncodeToString(raw)[:10])})
}

// TestNeedlesAreFound: what is looked for below is found where it is.
func TestNeedlesAreFound(t *testing.T) {
	pan := testPANs[1]
	for _, hay := range []string{
		pan, "\x19\x62\x22\x02\x12\x34\x56\x78\x90\x12\x8f", "\x06\x22\x20\x21\x23\x45\x67\x89\x01\x28",
		"0622202123456789012800", hex.EncodeToString([]byte(pan)),
		base64.StdEncoding.EncodeToString([]byte("0200" + pan)),
		base64.StdEncoding.EncodeToString([]byte("x" + pan + "1")),
		`"` + pinBlock + `"`, "\xa7\xc3\xe1\x9b\x5d\x2f\x80\x64", pan + "=3012" + trackTail,
	} {
		if len(foundIn(secrets(t), []byte(hay))) == 0 {
			t.Errorf("not found in %q", hay)
		}
	}
}

func foundIn(all []needle, content []byte) []string {
	var found []string
	for _, n := range all {
		if bytes.Contains(content, n.pattern) {
			found = append(found, n.what)
		}
	}
	return found
}

// TestNothingShowsACard sells in every way there is, lets everything go wrong, and then looks for
// card numbers, track data and PIN blocks in every file and in every word that was printed.
func TestNothingShowsACard(t *testing.T) {
	t.Parallel()
	for profile, format := range map[string]string{"iso87-ascii": "text", "iso87-bcd": "json"} {
		t.Run(profile+" with a log in "+format, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "reversald", profile, "log_level: debug\nlog_format: "+format+"\n")
			s.live(profile)
			s.search(secrets(t))
		})
	}
}

// live is a terminal's worst day.
func (s *stage) live(profile string) {
	t := s.t
	t.Helper()
	stan := 500
	sell := func(wantExit int, more ...string) {
		t.Helper()
		stan++
		s.sell(wantExit, stan, append([]string{"--profile", profile}, more...)...)
	}
	pin := []string{"--field", "52=" + pinBlock}
	for _, pan := range testPANs {
		sell(0, "--pan", pan)
		sell(0, append(pin, "--pan", pan)...)
		sell(0, append(pin, "--pan", pan, "--track")...)
	}
	s.do("acquirerd", "behave", "0200:decline=55 x1", "0200:silent x2", "0400:code=58 x1")
	sell(1, append(pin, "--pan", testPANs[0])...)
	sell(2, append(pin, "--pan", testPANs[1], "--track")...)
	s.waitStatus(`"stuck":1,`)
	s.lookAround()
	sell(2, "--pan", testPANs[2])
	s.waitStatus(`"owed":0,`)
	s.do("acquirerd", "behave", "0200:late=1500ms x1", "0400:late=700ms x1")
	sell(2, append(pin, "--pan", testPANs[1])...)
	s.waitStatus(`"owed":0,`)
	for _, manner := range []string{"wrong-stan", "wrong-mti", "cut-middle", "half-frame", "garbage", "twice"} {
		s.do("acquirerd", "behave", "0200:"+manner+" x1")
		stan++
		s.do("acquirerd", append(pin, "sell", "--profile", profile, "--to", s.posAddr, "--timeout", "15s",
			"--stan", strconv.Itoa(stan), "--pan", testPANs[stan%3], "--track")...)
		s.waitStatus(`"owed":0,`)
	}

	// The plug, with a sale at the host.
	s.do("acquirerd", "behave", "0200:silent x1")
	stan++
	hung := make(chan struct{})
	till := command(s.dir, s.env, "acquirerd", "sell", "--profile", profile, "--to", s.posAddr, "--track",
		"--stan", strconv.Itoa(stan), "--pan", testPANs[1], "--field", "52="+pinBlock)
	go func() { defer close(hung); _ = till.Run() }()
	s.wait("the sale to be booked", func() bool {
		out, _ := s.do("acquirerd", "books", "--stan", fmt.Sprintf("%06d", stan))
		return strings.Contains(out, " debited ")
	})
	s.pos.end(os.Kill)
	<-hung
	s.start()
	s.waitStatus(`"owed":0,`)

	s.liveByAPI()
	s.mutilate(profile)
	s.do("acquirerd", "behave", "--forget")
	s.do("reversald", "replay", stuckID(s), "--by", "tester", "--reason", "tested")
	s.waitStatus(`"owed":0,`)
	s.lookAround()
}

// stuckID is the number of the payment that is stuck.
func stuckID(s *stage) string {
	out, _ := s.do("reversald", "stuck")
	id, _, _ := strings.Cut(out, " ")
	return id
}

// lookAround asks for everything that can be asked for.
func (s *stage) lookAround() {
	stuck := stuckID(s)
	for _, args := range []string{
		"status", "stuck", "tail -n 100000", "show 1", "show 13", "show " + stuck, "config show",
		"open", "link", "top --once", "doctor", "ready-to-remove", "support", "why 1", "why 13",
		"why " + stuck, "show 1 --hex", "show 13 --hex", "show 13 --entries", "show --hex " + stuck,
		"tail -n 100000 -o hex", "__complete why ",
	} {
		s.do("reversald", strings.Fields(args)...)
		s.do("reversald", append(strings.Fields(args), "--json")...)
	}
	for _, id := range []string{"1", "13", stuck} {
		for _, form := range []string{"json", "text", "html"} {
			s.do("reversald", "evidence", id, "-o", form)
		}
	}
	// A person who types a card number into a reason has it masked before it is on file.
	s.do("reversald", "hold", stuck, "--by", "ann", "--reason", "card "+testPANs[1])
	s.do("reversald", "replay", "1", "--by", testPANs[0], "--reason", testPANs[2])
	for _, args := range []string{"books", "stats"} {
		s.do("acquirerd", args)
		s.do("acquirerd", args, "--json")
	}
}

// mutilate sends a good sale with one byte changed, for every byte of it: what can not be read is
// complained about, and must not be quoted. Where the change leaves a good sale it is one.
func (s *stage) mutilate(profile string) {
	t := s.t
	t.Helper()
	frame := s.wordSale(profile)
	var conn net.Conn
	sent := 0
	for at := 2; at < len(frame); at++ {
		for _, b := range []byte{frame[at] ^ 0x01, frame[at] ^ 0x40, 0xff} {
			bad := bytes.Clone(frame)
			bad[at] = b
			for range 3 { // what can not even be answered ends the connection, perhaps on the next
				if conn == nil {
					var err error
					if conn, err = net.DialTimeout("tcp", s.posAddr, patience); err != nil {
						t.Fatal(err)
					}
					defer func() { _ = conn.Close() }()
					go func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }(conn)
				}
				if _, err := conn.Write(bad); err == nil {
					sent++
					break
				}
				conn = nil
			}
		}
	}
	if sent < 2*len(frame) {
		t.Errorf("only %d frames could be sent", sent)
	}
	s.sell(0, 900, "--profile", profile)
	s.waitStatus(`"owed":0,`)
}

// wordSale is the frame of a swiped sale with a PIN, as a till words it.
func (s *stage) wordSale(profile string) []byte {
	t := s.t
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	heard := make(chan []byte, 1)
	go func() {
		defer close(heard)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		frame := make([]byte, 4096)
		n, _ := io.ReadAtLeast(conn, frame, 2)
		heard <- frame[:n]
	}()
	s.do("acquirerd", "sell", "--profile", profile, "--to", listener.Addr().String(), "--stan", "899",
		"--track", "--pan", testPANs[1], "--field", "52="+pinBlock, "--field", "2="+testPANs[1],
		"--timeout", "2s")
	frame := <-heard
	if len(frame) < 100 || len(foundIn(secrets(t), frame)) < 3 {
		t.Fatalf("a sale of %d bytes, with %v in it", len(frame), foundIn(secrets(t), frame))
	}
	return frame
}

// search looks into everything that was printed, and into every file.
func (s *stage) search(all []needle) {
	t := s.t
	t.Helper()
	for _, what := range foundIn(all, s.said.Bytes()) {
		t.Errorf("printed: %s", what)
	}
	looked := map[string]bool{}
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked[filepath.Base(path)] = true
		for _, what := range foundIn(all, content) {
			t.Errorf("%s: %s", filepath.Base(path), what)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{
		"journal.db", "journal.db.ring", "acquirer-books.jsonl", "pos.err", "pos.out", "host.out",
	} {
		if !looked[name] {
			t.Errorf("%s was not looked into", name)
		}
	}
	masked := "411111" + "******" + "1111"
	for name, content := range map[string]string{
		"what was printed": s.said.String(), "the host's log": s.read("host.out"),
	} {
		if !strings.Contains(content, masked) {
			t.Errorf("%s does not show even the masked number", name)
		}
	}
}
