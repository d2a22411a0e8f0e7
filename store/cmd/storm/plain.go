package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

var bucketPlain = []byte("log")

// plain is the control: the same entries in bbolt as it comes, which a judge must be able to
// fault. It makes its file under its final name, and with -careless it never syncs.
func plain(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("storm plain", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "folder of the database")
	marks := flags.String("marks", "", "where to tell what was promised; default DIR/.mark")
	careless := flags.Bool("careless", false, "never sync")
	seed := flags.Uint64("seed", 1, "of everything that is written")
	commits := flags.Uint64("commits", 20, "how many")
	if err := flags.Parse(args); err != nil || *dir == "" {
		return exitError{exitUsage, errors.Join(errors.New("plain wants -dir"), err)}
	}
	if *marks == "" {
		*marks = filepath.Join(*dir, ".mark")
	}
	mark, err := openMarks(*marks)
	if err != nil {
		return err
	}
	if err := say(mark, ackLine(0)); err != nil {
		return err
	}
	db, err := bolt.Open(filepath.Join(*dir, "journal.db"), 0o600, &bolt.Options{
		PageSize: 4096, NoSync: *careless, Timeout: time.Second,
	})
	if err != nil {
		return err
	}
	for seq := uint64(1); seq <= *commits; seq++ {
		d := draftOf(*seed, seq)
		if err := say(mark, tryLine(seq, d.Key, d.Mark, d.Payload)); err != nil {
			return err
		}
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(bucketPlain)
			if err != nil {
				return err
			}
			return b.Put(binary.BigEndian.AppendUint64(nil, seq), d.Payload)
		})
		if err != nil {
			return err
		}
		if err := say(mark, ackLine(seq)); err != nil {
			return err
		}
	}
	if err := db.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "storm: done")
	return err
}

// judgePlain holds the database to the same: it opens, what was acknowledged is there, and what is
// there is what was written.
func judgePlain(dir string, t *truth) error {
	path := filepath.Join(dir, "journal.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && t.acked == 0 {
		return nil
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 4096, Timeout: time.Second})
	if err != nil {
		return found("refused", "%v", err)
	}
	defer db.Close() //nolint:errcheck // only read from
	last := uint64(0)
	err = db.View(func(tx *bolt.Tx) error {
		for fault := range tx.Check() {
			return found("check", "%v", fault)
		}
		b := tx.Bucket(bucketPlain)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			last++
			if len(k) != 8 || binary.BigEndian.Uint64(k) != last ||
				sumOf(v) != t.entries[last].sum {
				return found("LIE", "entry %d is not what was written", last)
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return err
	case last < t.acked:
		return found("LOST", "the last is %d, %d was acknowledged", last, t.acked)
	case last > t.tried:
		return found("invented", "the last is %d, %d was tried", last, t.tried)
	}
	return nil
}
