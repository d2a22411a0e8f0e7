//go:build linux && (amd64 || arm64)

package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mark puts what somebody says of himself between the operations.
func (d *disk) mark(text []byte) error {
	d.log = append(d.log, op{Kind: opMark, Data: slices.Clone(text)})
	return nil
}

var errOrder = errors.New("no such order")

// obey takes one order, written to .ctl in one write:
//
//	dump FILE             write the log to a file elsewhere
//	settle                everything is durable, and the log begins here
//	cut SEED              cut the power: of what is not synced a random part survives
//	fail-sync N land      the Nth sync from now fails, though it was done
//	fail-sync N forget    likewise, and what it should have written is dropped
//	fail-write N          the Nth write from now fails
//	dead forget|keep      every write and every sync fails from now on
//	room BYTES            no file grows when all together would be larger
//	delay MICROSECONDS    a sync takes up to that
//	heal                  nothing fails any more
func (d *disk) obey(text []byte) error {
	words := strings.Fields(string(text))
	if len(words) == 0 {
		return errOrder
	}
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	number, _ := strconv.ParseInt(arg(1), 10, 64) // 0 where it is none
	switch words[0] {
	case "dump":
		return d.dump(arg(1))
	case "settle":
		d.sync(func(op) bool { return true })
		d.settle(false)
	case "cut":
		d.cut(uint64(number))
	case "fail-sync":
		d.faults.syncIn, d.faults.forget = int(number), arg(2) == "forget"
	case "fail-write":
		d.faults.writeIn = int(number)
	case "dead":
		d.faults.dead, d.faults.forget = true, arg(1) == "forget"
	case "room":
		d.faults.bytes = number
	case "delay":
		d.faults.delay = time.Duration(number) * time.Microsecond
	case "heal":
		d.faults = faults{delay: d.faults.delay}
	default:
		return fmt.Errorf("%w: %s", errOrder, words[0])
	}
	return nil
}

func (d *disk) dump(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	enc := gob.NewEncoder(w)
	for _, o := range d.log {
		if err := enc.Encode(o); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(w.Flush(), f.Close())
}
