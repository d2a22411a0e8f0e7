package hal_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/hal"
)

// Asked over the socket, the same keys give the same answers and the same errors.
func TestExternalSignerIsTheSignerBehindIt(t *testing.T) {
	noLeaks(t)
	ctx, path := t.Context(), socketPath(t)
	serve(t, path, softKeys(t))
	e, direct := external(t, path, 0), softKeys(t)
	for _, k := range []hal.WorkingKeys{
		{Blob: unhex(blob40)},
		{Slot: "gm", Blob: unhex(blobGM)},
		{Slot: "none", Blob: unhex(blobGM)},
		{Blob: unhex(blobGM)},
		{Blob: unhex(blob40)[:39]},
	} {
		got, gotErr := e.LoadWorkingKeys(ctx, k)
		want, wantErr := direct.LoadWorkingKeys(ctx, k)
		if got != want || !sameSentinel(gotErr, wantErr) {
			t.Errorf("LoadWorkingKeys = %d, %v, want %d, %v", got, gotErr, want, wantErr)
		}
	}
	long := make([]byte, hal.MACDataBytesMax)
	for _, r := range []hal.MACRequest{
		ecb(""),
		ecb("no"),
		ecb("tmk"),
		{},
		{Algorithm: hal.MACNone},
		{Algorithm: hal.MACUnionPaySM4, KeyName: "gm/mak", Data: long},
		{Algorithm: hal.MACAESCMAC, KeyName: "aes/mak", Data: published},
		{Algorithm: hal.MACAESCMAC, KeyName: "aes/mak", Data: published, Length: 4},
		{Algorithm: hal.MACAESCMAC, KeyName: "aes/mak", Data: append(long, 0)},
	} {
		got, gotErr := e.Sign(ctx, r)
		want, wantErr := direct.Sign(ctx, r)
		if string(got) != string(want) || !sameSentinel(gotErr, wantErr) {
			t.Errorf("Sign = %x, %v, want %x, %v", got, gotErr, want, wantErr)
		}
		for _, mac := range [][]byte{want, nil, make([]byte, len(want))} {
			got, want := e.Verify(ctx, r, mac), direct.Verify(ctx, r, mac)
			if !sameSentinel(got, want) {
				t.Errorf("Verify %x = %v, want %v", mac, got, want)
			}
		}
	}
	got, err := e.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want, err := direct.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want.Kind, want.Name = "external", "software"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Info (-want +got):\n%s", diff)
	}
}

var sentinels = []error{
	hal.ErrSignerRequest, hal.ErrSignerAlgorithm, hal.ErrSignerNoKey, hal.ErrMACWrong,
	hal.ErrSignerBlob, hal.ErrSignerCheckValue, hal.ErrSignerAway, hal.ErrSignerSlow,
	hal.ErrSignerProtocol, hal.ErrSignerRefused, hal.ErrSignerClosed,
}

func sameSentinel(a, b error) bool {
	for _, s := range sentinels {
		if errors.Is(a, s) != errors.Is(b, s) {
			return false
		}
	}
	return (a == nil) == (b == nil)
}

// What a module may do wrong is told apart, in time, and the next call finds a good line again.
func TestExternalSignerSurvivesItsModule(t *testing.T) {
	answer := func(format string, args ...any) func(*moduleLine) {
		return func(m *moduleLine) {
			m.hello()
			if m.hear() {
				m.say(format, append([]any{m.id()}, args...)...)
				m.hold()
			}
		}
	}
	for name, c := range map[string]struct {
		step func(*moduleLine)
		want error
	}{
		"hangs up at once":             {func(*moduleLine) {}, hal.ErrSignerAway},
		"hangs up after hello":         {func(m *moduleLine) { m.hello() }, hal.ErrSignerAway},
		"hangs up when asked":          {func(m *moduleLine) { m.hello(); m.hear() }, hal.ErrSignerAway},
		"never says hello":             {func(m *moduleLine) { m.hold() }, hal.ErrSignerSlow},
		"never answers":                {func(m *moduleLine) { m.hello(); m.hold() }, hal.ErrSignerSlow},
		"half an answer, then nothing": {answer(`{"id":%d,"ok":tr`), hal.ErrSignerSlow},
		"half an answer, then the end": {func(m *moduleLine) {
			m.hello()
			m.hear()
			m.say(`{"id":%d,"ok":true,"mac":"`, m.id())
		}, hal.ErrSignerAway},
		"one byte at a time for ever": {func(m *moduleLine) {
			m.hello()
			for m.hear() {
				for {
					if _, err := m.Write([]byte(" ")); err != nil {
						return
					}
					time.Sleep(signerLimit / 20)
				}
			}
		}, hal.ErrSignerSlow},
		"version 2": {func(m *moduleLine) {
			m.hear()
			m.say(`{"id":%d,"ok":true,"version":2}`+"\n", m.id())
			m.hold()
		}, hal.ErrSignerProtocol},
		"refuses version 1": {func(m *moduleLine) {
			m.hear()
			m.say(`{"id":%d,"ok":false,"error":"version"}`+"\n", m.id())
			m.hold()
		}, hal.ErrSignerProtocol},
		"garbage":            {answer("%d\x00\xff\xfe}{\n"), hal.ErrSignerProtocol},
		"an empty line":      {answer("\n%d"), hal.ErrSignerProtocol},
		"not an object":      {answer("[%d]\n"), hal.ErrSignerProtocol},
		"another id":         {answer(`{"id":%d0,"ok":true,"mac":"0011223344556677"}` + "\n"), hal.ErrSignerProtocol},
		"no id":              {answer(`{"x":%d,"ok":true,"mac":"0011223344556677"}` + "\n"), hal.ErrSignerProtocol},
		"neither yes nor no": {answer(`{"id":%d,"mac":"0011223344556677"}` + "\n"), hal.ErrSignerProtocol},
		"yes and no":         {answer(`{"id":%d,"ok":true,"error":"no_key","mac":"0011223344556677"}` + "\n"), hal.ErrSignerProtocol},
		"no MAC":             {answer(`{"id":%d,"ok":true}` + "\n"), hal.ErrSignerProtocol},
		"a short MAC":        {answer(`{"id":%d,"ok":true,"mac":"00112233445566"}` + "\n"), hal.ErrSignerProtocol},
		"a MAC not in hex":   {answer(`{"id":%d,"ok":true,"mac":"E267B6E2E267B6E2zz"}` + "\n"), hal.ErrSignerProtocol},
		"a flood":            {answer(`{"id":%d,"text":"%s`, strings.Repeat("x", 1<<20)), hal.ErrSignerProtocol},
		"no such key":        {answer(`{"id":%d,"ok":false,"error":"no_key","text":"sign on"}` + "\n"), hal.ErrSignerNoKey},
		"a word of its own":  {answer(`{"id":%d,"ok":false,"error":"tamper","text":"opened"}` + "\n"), hal.ErrSignerRefused},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			path := socketPath(t)
			module(t, path, c.step, func(m *moduleLine) {
				for m.hello(); m.hear(); {
					m.sign()
				}
			})
			e := external(t, path, patience)
			began := time.Now()
			limit := patience
			if c.want == hal.ErrSignerSlow {
				limit = signerLimit
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			mac, err := e.Sign(ctx, ecb(""))
			if took := time.Since(began); took > limit+patience/2 {
				t.Errorf("took %v, which should end after %v", took, limit)
			}
			if mac != nil || !errors.Is(err, c.want) {
				t.Fatalf("Sign = %q, %v, want %v", mac, err, c.want)
			}
			for _, other := range sentinels {
				if other != c.want && errors.Is(err, other) {
					t.Errorf("%v is %v as well", err, other)
				}
			}
			if errors.Is(err, hal.ErrSignerNoKey) || errors.Is(err, hal.ErrSignerRefused) {
				return // the line is still the first one, which has nothing more to say
			}
			if mac, err = e.Sign(t.Context(), ecb("")); string(mac) != publishedMAC || err != nil {
				t.Errorf("and then Sign = %q, %v, want %s", mac, err, publishedMAC)
			}
		})
	}
}

// A refusal is an answer like any other: the line stays, and the text is fit for a log.
func TestExternalSignerKeepsTheLineAfterARefusal(t *testing.T) {
	path := socketPath(t)
	module(t, path, func(m *moduleLine) {
		m.hello()
		m.hear()
		m.say(`{"id":%d,"ok":false,"error":"odd","text":"a\u001b[31m\u4e2d\n%s"}`+"\n",
			m.id(), strings.Repeat("y", 1000))
		m.hear()
		m.sign()
		m.hold()
	})
	e := external(t, path, patience)
	_, err := e.Sign(t.Context(), ecb(""))
	if want := "sign: signer refused: odd a?[31m??yyyy"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%q, want %q…", err, want)
	} else if len(err.Error()) > 200 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	if mac, err := e.Sign(t.Context(), ecb("")); string(mac) != publishedMAC || err != nil {
		t.Errorf("Sign = %q, %v", mac, err)
	}
}

// An answer that comes too late does not answer the next question.
func TestExternalSignerIgnoresALateAnswer(t *testing.T) {
	path, late := socketPath(t), make(chan struct{})
	module(t, path, func(m *moduleLine) {
		m.hello()
		m.hear()
		<-late
		m.say(`{"id":%d,"ok":true,"mac":"6C6C6C6C6C6C6C6C"}`+"\n", m.id())
		m.hold()
	}, func(m *moduleLine) {
		m.hello()
		m.hear()
		close(late)
		time.Sleep(signerLimit / 10)
		m.sign()
		m.hold()
	})
	e := external(t, path, patience)
	ctx, cancel := context.WithTimeout(t.Context(), signerLimit)
	defer cancel()
	if _, err := e.Sign(ctx, ecb("")); !errors.Is(err, hal.ErrSignerSlow) {
		t.Fatalf("Sign = %v, want ErrSignerSlow", err)
	}
	if mac, err := e.Sign(t.Context(), ecb("")); string(mac) != publishedMAC || err != nil {
		t.Errorf("Sign = %q, %v", mac, err)
	}
}

// What a module says unasked closes the line, whether it comes behind an answer or later.
func TestExternalSignerIgnoresWhatIsSaidUnasked(t *testing.T) {
	path := socketPath(t)
	module(t, path, func(m *moduleLine) {
		m.hello()
		m.hear()
		m.say(`{"id":%d,"ok":true,"mac":"%X"}`+"\n"+`{"id":%d,"ok":true,"mac":"6C6C6C6C6C6C6C6C"}`+"\n",
			m.id(), publishedMAC, m.id()+1)
		m.hold()
	}, func(m *moduleLine) {
		m.hello()
		m.hear()
		m.sign()
		m.hold()
	})
	e := external(t, path, patience)
	for range 2 {
		if mac, err := e.Sign(t.Context(), ecb("")); string(mac) != publishedMAC || err != nil {
			t.Errorf("Sign = %q, %v", mac, err)
		}
	}
}

// A module that is restarted between two questions is not even noticed; its working keys may be.
func TestExternalSignerAcrossARestart(t *testing.T) {
	noLeaks(t)
	ctx, path := t.Context(), socketPath(t)
	e := external(t, path, patience)
	fixed := hal.MACRequest{Algorithm: hal.MACAESCMAC, KeyName: "aes/mak", Data: published}
	if _, err := e.Sign(ctx, fixed); !errors.Is(err, hal.ErrSignerAway) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no socket yet: %v, want ErrSignerAway", err)
	}
	for range 3 {
		stop := serve(t, path, softKeys(t))
		if _, err := e.Sign(ctx, fixed); err != nil {
			t.Errorf("after a restart: %v", err)
		}
		if _, err := e.Sign(ctx, ecb("")); !errors.Is(err, hal.ErrSignerNoKey) {
			t.Errorf("working key after a restart: %v, want ErrSignerNoKey", err)
		}
		if n, err := e.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: unhex(blob40)}); n != 1 || err != nil {
			t.Errorf("LoadWorkingKeys = %d, %v", n, err)
		}
		if mac, err := e.Sign(ctx, ecb("")); string(mac) != publishedMAC || err != nil {
			t.Errorf("Sign = %q, %v", mac, err)
		}
		stop()
	}
	if _, err := e.Sign(ctx, fixed); !errors.Is(err, hal.ErrSignerAway) {
		t.Errorf("gone: %v, want ErrSignerAway", err)
	}
}

// Waiting for one's turn is part of the timeout, and giving up leaves the others alone.
func TestExternalSignerTurns(t *testing.T) {
	noLeaks(t)
	path := socketPath(t)
	serve(t, path, softKeys(t))
	e := external(t, path, patience)
	if _, err := e.LoadWorkingKeys(t.Context(), hal.WorkingKeys{Blob: unhex(blob40)}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				if impatient := i%2 == 0; impatient {
					time.AfterFunc(time.Duration(j)*10*time.Microsecond, cancel)
				}
				mac, err := e.Sign(ctx, ecb(""))
				switch {
				case err == nil && string(mac) != publishedMAC:
					t.Errorf("Sign = %q", mac)
				case err != nil && (i%2 == 1 || !errors.Is(err, context.Canceled)):
					t.Errorf("Sign = %v", err)
				}
				cancel()
			}
		}()
	}
	all.Wait()
	hung := socketPath(t)
	module(t, hung, (*moduleLine).hold)
	e = external(t, hung, signerLimit)
	began := time.Now()
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			if _, err := e.Info(context.Background()); !errors.Is(err, hal.ErrSignerSlow) && !errors.Is(err, hal.ErrSignerAway) {
				t.Errorf("Info = %v", err)
			}
		}()
	}
	all.Wait()
	if took := time.Since(began); took > signerLimit+patience/2 {
		t.Errorf("four calls took %v with a timeout of %v", took, signerLimit)
	}
}

func TestExternalSignerClose(t *testing.T) {
	noLeaks(t)
	path := socketPath(t)
	asked := make(chan struct{})
	module(t, path, func(m *moduleLine) {
		m.hello()
		m.hear()
		close(asked)
		m.hold()
	})
	e := external(t, path, time.Hour)
	go func() {
		<-asked
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	soon(t, "Sign", func() {
		if _, err := e.Sign(context.Background(), ecb("")); !errors.Is(err, hal.ErrSignerClosed) {
			t.Errorf("while it was closed: %v, want ErrSignerClosed", err)
		}
	})
	if err := e.Verify(t.Context(), ecb(""), unhex("0011223344556677")); !errors.Is(err, hal.ErrSignerClosed) {
		t.Errorf("afterwards: %v, want ErrSignerClosed", err)
	}
}
