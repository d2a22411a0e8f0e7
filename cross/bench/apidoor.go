package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// doorProcess is `bench api` or `bench iso`: the load figures of a door, at 1, 8 and 64 clients.
func doorProcess(name string, measure func(o options, dir string) error, args []string) int {
	var o options
	set := flag.NewFlagSet(name, flag.ExitOnError)
	set.StringVar(&o.reversald, "reversald", "bin/reversald", "the daemon")
	set.StringVar(&o.acquirerd, "acquirerd", "bin/acquirerd", "the host")
	set.StringVar(&o.dir, "dir", "bin", "a folder on the disk to measure")
	set.IntVar(&o.sales, "sales", 1500, "sales at each number of clients")
	set.DurationVar(&o.linger, "linger", 5*time.Millisecond, "as the daemon's")
	_ = set.Parse(args)
	dir, err := os.MkdirTemp(o.dir, "bench-")
	if err == nil {
		err = measure(o, dir)
		_ = os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// apiDoor compares a sale through the API door (asked for and confirmed, each durable before it is
// answered) with the same number of tills straight at the host, and both with one durable step of
// the disk.
func apiDoor(o options, dir string) error {
	return door{
		name: "api",
		warm: func(p *pair) error {
			_, err := sellByAPI(p, 1, warmUp, "warm")
			return err
		},
		load: apiLoad,
	}.measure(o, dir)
}

// apiLoad reports one number of clients.
func apiLoad(o options, p *pair, f *floor, clients int) error {
	var got byAPI
	var rate, isoRate float64
	var iso []time.Duration // by the other door
	b, err := compareDoor(o, p, f, "api", clients, func() (err error) {
		if iso, isoRate, err = sellStraight(p.daemon.address, clients, o.sales); err != nil {
			return err
		}
		began := time.Now()
		got, err = sellByAPI(p, clients, o.sales, "load")
		rate = float64(len(got.sales)) / time.Since(began).Seconds()
		return err
	})
	if err != nil {
		return err
	}
	b.reportSales(rate, got.sales)
	b.report("payments_to_iso_door", rate/isoRate, "ratio")
	b.report("sale_added_p50_iso_door", b.added(iso, 0.5), "floor_steps")
	b.report("confirm_p50", float64(median(got.confirms))/float64(b.step), "floor_steps")
	b.report("confirm_p99", float64(quantile(got.confirms, 0.99))/float64(b.step), "floor_steps")
	return nil
}

// runs counts what sellStraight was asked for.
var runs atomic.Int32

// sellStraight sells so many times from so many tills at once, in ISO 8583. No till has sold
// before: a trace number that comes again is a repeated question, and is answered from file.
func sellStraight(address string, tills, n int) (all []time.Duration, rate float64, err error) {
	run := runs.Add(1)
	began := time.Now()
	all, err = atOnce(tills, func(i int) ([]time.Duration, error) {
		t, err := openTill(address, fmt.Sprintf("S%03d%04d", run, i))
		if err != nil {
			return nil, err
		}
		defer t.conn.Close()
		return t.approve(max(1, n/tills))
	})
	return all, float64(len(all)) / time.Since(began).Seconds(), err
}

// atOnce runs so many sellers at once and gathers what they measured.
func atOnce(
	sellers int, sell func(i int) ([]time.Duration, error),
) (all []time.Duration, err error) {
	var mu sync.Mutex
	var done sync.WaitGroup
	for i := range sellers {
		done.Add(1)
		go func() {
			defer done.Done()
			one, failed := sell(i)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, one...)
			if failed != nil {
				err = failed
			}
		}()
	}
	done.Wait()
	return all, err
}

// byAPI is how long sales and their confirms took.
type byAPI struct{ sales, confirms []time.Duration }

// sellByAPI sells and confirms so many times from so many clients at once. Each has a connection
// and a terminal of its own.
func sellByAPI(p *pair, clients, n int, run string) (byAPI, error) {
	var got byAPI
	var mu sync.Mutex
	_, err := atOnce(clients, func(i int) ([]time.Duration, error) {
		c := newAPIClient(filepath.Join(p.dir, "reversald.sock"))
		defer c.http.CloseIdleConnections()
		for k := range max(1, n/clients) {
			sale, confirm, err := c.sell(fmt.Sprintf("%s-%d-%d-%d", run, clients, i, k),
				fmt.Sprintf("AP%02d%04d", clients, i))
			if err != nil {
				return nil, err
			}
			mu.Lock()
			got.sales, got.confirms = append(got.sales, sale), append(got.confirms, confirm)
			mu.Unlock()
		}
		return nil, nil
	})
	return got, err
}

// apiClient is the smallest client of the API there is.
type apiClient struct{ http http.Client }

func newAPIClient(socket string) *apiClient {
	return &apiClient{http: http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		},
	}}
}

// sell asks for a sale and confirms it.
func (c *apiClient) sell(key, terminal string) (sale, confirm time.Duration, err error) {
	body := fmt.Sprintf(`{"amount":1234,"currency":"156","pan":"4111111111111111",`+
		`"expiry":"3012","entry_mode":"022","condition_code":"00","terminal":%q,`+
		`"merchant":"MERCHANT0000001"}`, terminal)
	began := time.Now()
	p, err := c.post("/v1/payments", key, body)
	if err != nil {
		return 0, 0, err
	}
	sale = time.Since(began)
	if p.Phase != "approved" {
		return 0, 0, fmt.Errorf("sale %s is %q", key, p.Phase)
	}
	began = time.Now()
	p, err = c.post(fmt.Sprintf("/v1/payments/%d/confirm", p.ID), "", "")
	if err == nil && p.Phase != "confirmed" {
		err = fmt.Errorf("sale %s is %q", key, p.Phase)
	}
	return sale, time.Since(began), err
}

// apiPayment is what the bench reads of an answer.
type apiPayment struct {
	ID    uint64 `json:"id"`
	Phase string `json:"phase"`
}

func (c *apiClient) post(path, key, body string) (apiPayment, error) {
	var p apiPayment
	req, err := http.NewRequest(http.MethodPost, "http://x"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return p, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		return p, fmt.Errorf("%s: %s: %s %w", path, resp.Status, text, err)
	}
	return p, json.Unmarshal(text, &p)
}
