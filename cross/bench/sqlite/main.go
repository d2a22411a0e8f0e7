// Command sqlite is what reversald's journal is compared with: the same sales, written into SQLite
// in WAL mode with synchronous=FULL. It is a module of its own, so that nothing else depends on it.
//
// It prints sales a second, as one number.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite"
)

func main() {
	dir := flag.String("dir", ".", "a folder on the disk to measure")
	apps := flag.Int("apps", 64, "how many sell at once")
	lasts := flag.Duration("for", 2*time.Second, "how long")
	flag.Parse()
	n, err := run(*dir, *apps, *lasts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sqlite:", err)
		os.Exit(1)
	}
	fmt.Printf("%.1f\n", n)
}

// run sells as long as it is told to. A sale is three entries, each in a transaction of its own, as
// they come one after the other.
func run(dir string, apps int, lasts time.Duration) (float64, error) {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "sqlite.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)"+
		"&_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // SQLite has one writer; more would only wait for its lock by polling
	_, err = db.ExecContext(ctx, `create table log (seq integer primary key, entry blob not null)`)
	if err != nil {
		return 0, err
	}
	insert, err := db.PrepareContext(ctx, `insert into log (entry) values (?)`)
	if err != nil {
		return 0, err
	}
	entries := [][]byte{make([]byte, 532), make([]byte, 192), make([]byte, 86)}
	var sales atomic.Int64
	var selling sync.WaitGroup
	failed := make(chan error, apps)
	began := time.Now()
	for range apps {
		selling.Add(1)
		go func() {
			defer selling.Done()
			for time.Since(began) < lasts {
				for _, e := range entries {
					if _, err := insert.ExecContext(ctx, e); err != nil {
						failed <- err
						return
					}
				}
				sales.Add(1)
			}
		}()
	}
	selling.Wait()
	close(failed)
	return float64(sales.Load()) / time.Since(began).Seconds(), <-failed
}
