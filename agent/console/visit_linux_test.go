package console_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"reversald/agent/armour"
	"reversald/agent/badge"
	"reversald/agent/console"
	"reversald/agent/verbs"
)

// Rule: only a signature of this challenge by a known key lets in, and all of it is on file.
func TestAVisit(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	d.press("list\r")
	if got := d.expect("]> "); !strings.Contains(got, "1  #21") || !strings.Contains(got, "2  #34") {
		t.Errorf("list says %q", got)
	}
	d.press("2\r")
	if got := d.expect("]> "); !strings.Contains(got, "34") {
		t.Errorf("2 shows %q", got)
	}
	d.press("logout\r")
	d.expect("logged out")
	for _, want := range []string{
		"console li.wei: login by key", "console li.wei: list", "console li.wei: show 34",
		"console li.wei: logout",
	} {
		if !strings.Contains(d.agent.notes(), want) {
			t.Errorf("%q is not on file:\n%s", want, d.agent.notes())
		}
	}
}

// Rule: no key and no PIN, no entry; there is no default.
func TestNobodyIsLetInWithoutAKeyOrAPIN(t *testing.T) {
	d := newDesk(t, func(o *console.Options) { o.Keys = nil })
	d.awake("\r", "lets nobody in")
	for _, guess := range []string{"000000\r", "123456\r", "\r", "admin\r"} {
		d.press(guess)
	}
	time.Sleep(500 * time.Millisecond)
	if strings.Contains(d.screen(), "> ") {
		t.Errorf("somebody was let in: %q", d.screen())
	}
}

// Rule: an answer is good once, and only with a known key.
func TestAnswersAreGoodOnce(t *testing.T) {
	d := newDesk(t, nil)
	c := d.knock()
	answer := badge.Sign(c, d.key)
	d.press(answer + "\r")
	d.expect("]> ")
	d.press("logout\r")
	d.expect("logged out")
	d.knock()
	d.press(answer + "\r")
	d.expect("No: ")
	_, file, _ := badge.NewSecret("mallory", "")
	_, other, _ := badge.OpenSecret(file, nil)
	c = d.knock()
	d.press(badge.Sign(c, other) + "\r")
	d.expect("No: ")
	if !strings.Contains(d.agent.notes(), "nobody: login failed by key, 2 in a row") {
		t.Errorf("on file: %s", d.agent.notes())
	}
}

// Rule: wrong PINs lock the console, a restart does not unlock it, and the right PIN does not help
// meanwhile.
func TestTheLockOutSurvivesARestart(t *testing.T) {
	withPIN := func(o *console.Options) { o.PIN = pinFor(t, pinOfTests) }
	d := newDesk(t, withPIN)
	for range 6 {
		d.knock()
		d.press("314159\r")
		d.expect("No: ")
	}
	d.awake("\r", "locked after 6 failed log-ins")
	d.end()
	d.start(withPIN)
	d.awake("\r", "locked after 6 failed log-ins")
	d.press(pinOfTests + "\r")
	time.Sleep(time.Second)
	if strings.Contains(d.screen(), "]> ") {
		t.Error("let in while locked")
	}
	if strings.Contains(d.agent.notes(), "314159") || strings.Contains(d.all(), "314159") {
		t.Error("a PIN was shown or written down")
	}
	// A damaged file is no way out either.
	d.end()
	os.WriteFile(d.state, []byte("{"), 0o600)
	d.start(withPIN)
	d.awake("\r", "locked after 6 failed log-ins")
}

// Rule: the right PIN lets in, and forgives what was before.
func TestAPINLetsIn(t *testing.T) {
	d := newDesk(t, func(o *console.Options) { o.PIN = pinFor(t, pinOfTests) })
	for range 2 {
		for range 4 {
			d.knock()
			d.press("314159\r")
			d.expect("No: ")
		}
		d.knock()
		d.press("27x\x7f1828\r") // a slip, mended
		d.expect("]> ")
		d.press("\x04")
		d.expect("logged out")
	}
}

// Rule: where failures can not be counted, nobody may try.
func TestNoCountNoTry(t *testing.T) {
	d := newDesk(t, func(o *console.Options) { o.State = "/proc/no/such/file" })
	c := d.knock()
	d.press(badge.Sign(c, d.key) + "\r")
	d.expect("can not write down")
}

// Rule: who does not type is logged out, wherever they are.
func TestIdleLogout(t *testing.T) {
	for _, keys := range []string{"", "replay 21\r", "tail -f\r", "help\r"} {
		d := newDesk(t, func(o *console.Options) { o.Idle = 400 * time.Millisecond })
		d.agent.lines = 100
		d.login()
		d.press("lines 5\r")
		d.press(keys)
		d.expect("nobody typed for too long")
	}
}

// Rule: what changes something is confirmed by typing the number again, and is on file before.
func TestOrdersAreConfirmed(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	for _, no := range []string{"", "y", "yes", "22", "replay 21"} {
		d.press("replay 21 --reason test\r")
		d.expect("again: ")
		d.press(no + "\r")
		d.expect("Nothing was done")
	}
	if got := d.agent.orders(); got != "" {
		t.Errorf("ordered without confirmation: %s", got)
	}
	d.press("replay #21 --reason 'seen on site'\r")
	d.expect("again: ")
	d.press("21\r")
	d.expect("being reversed again")
	if got := d.agent.orders(); got != "replay 21 by li.wei: seen on site" {
		t.Errorf("ordered: %s", got)
	}
	d.agent.mu.Lock()
	d.agent.full = true
	d.agent.mu.Unlock()
	d.press("replay 34\r")
	d.expect("again: ")
	d.press("34\r")
	d.expect("not done")
	if strings.Contains(d.agent.orders(), "34") {
		t.Error("an order was done that is not on file")
	}
}

// Rule: a card number is refused, not written down, and not kept for the arrow key.
func TestACardNumberIsNotTaken(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	for _, line := range []string{"show 4111111111111111", "resolve 21 --reason '4111 1111-1111 1111'"} {
		d.press(line + "\r")
		d.expect("looks like a card number")
		d.expect("]> ")
	}
	d.press("\x1b[A\r")
	d.expect("]> ")
	if strings.Contains(d.screen(), "4111") || strings.Contains(d.agent.notes(), "111") {
		t.Errorf("kept: %q, %s", d.screen(), d.agent.notes())
	}
}

// Rule: long output stops at every page; SPACE, ENTER and q do what they do everywhere.
func TestPages(t *testing.T) {
	d := newDesk(t, nil)
	d.agent.lines = 100
	d.login()
	d.press("tail -n 100\r")
	first := d.expect("-- more --")
	if n := strings.Count(first, "asked"); n != 23 {
		t.Errorf("the first page has %d lines", n)
	}
	d.expect("stop)")
	d.press("\r")
	if n := strings.Count(d.expect("-- more --"), "asked"); n != 1 {
		t.Errorf("ENTER gives %d lines", n)
	}
	d.expect("stop)")
	d.press(" ")
	if n := strings.Count(d.expect("-- more --"), "asked"); n != 23 {
		t.Errorf("SPACE gives %d lines", n)
	}
	d.expect("stop)")
	d.press("q")
	if got := d.expect("]> "); strings.Contains(got, "asked") {
		t.Errorf("q gives %q", got)
	}
	d.press("lines 0\r")
	d.expect("]> ")
	d.press("tail -n 100\r")
	if got := d.expect("]> "); strings.Count(got, "asked") != 100 || strings.Contains(got, "more") {
		t.Errorf("without pages %d lines came", strings.Count(got, "asked"))
	}
}

// Rule: what goes on for ever ends at a key.
func TestAKeyEndsAFollow(t *testing.T) {
	d := newDesk(t, nil)
	d.agent.lines = 3
	d.login()
	d.press("tail -f\r")
	d.expect("asked")
	d.press("q")
	d.expect("]> ")
	d.press("tail -f\r")
	d.expect("asked")
	d.press("\x03")
	d.expect("]> ")
}

// Rule: Tab completes, beginnings suffice, ^C starts the line anew, and arrows bring lines back.
func TestEditing(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	d.press("lis\t\r")
	d.expect("#21")
	d.expect("]> ")
	d.press("\x1b[A\r")
	d.expect("#34")
	d.expect("]> ")
	d.press("logout\x03help rel\r")
	d.expect("could be")
	d.expect("]> ")
	d.press("frobnicate\r")
	d.expect("is no word here")
	d.expect("]> ")
	d.press("7\r")
	d.expect("is not in a list")
}

// Rule: Chinese is said in the charset of the technician's program.
func TestChinese(t *testing.T) {
	d := newDesk(t, func(o *console.Options) { o.Lang, o.Charset = verbs.Chinese, console.GBK })
	d.awake("\r", "RC1.")
	d.expect("\xd3\xa6\xb4\xf0: ") // 应答
	c, err := badge.ParseChallenge(strings.Fields(d.all()[strings.LastIndex(d.all(), "RC1."):])[0])
	if err != nil {
		t.Fatal(err)
	}
	d.press(badge.Sign(c, d.key) + "\r")
	d.expect("\xb1\xca\xb4\xfd\xb4\xa6\xc0\xed]> ") // 笔待处理
	d.press("resolve 21 --reason \xbf\xcd\xbb\xa7\xd2\xd1\xcd\xcb\xbf\xee\r")
	d.expect("all\xa3\xa9")
	d.press("21\r")
	d.expect("]> ")
	if got := d.agent.orders(); got != "resolve 21 by li.wei: 客户已退款" {
		t.Errorf("ordered: %s", got)
	}
}

// Rule: a file goes out as text that the laptop can check.
func TestAFileAsText(t *testing.T) {
	d := newDesk(t, nil)
	d.login()
	d.press("send evidence 21 text\r")
	log := d.expect("-----END REVERSALD FILE-----")
	name, content, err := armour.Read(strings.NewReader(log + "\n"))
	if err != nil || name != "evidence-T0000001-21.json" || !bytes.Contains(content, []byte(`"id":21`)) {
		t.Errorf("%s: %.60s, %v", name, content, err)
	}
	d.expect("]> ")
	d.press("evidence 34 text\r")
	d.expect("name: evidence-T0000001-34.json")
	d.expect("]> ")
	d.press("send nothing\r")
	d.expect("send evidence ID")
}
