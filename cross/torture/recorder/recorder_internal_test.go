//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/gob"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// write does to a disk what a file of that name and content takes.
func (d *disk) write(file int, name, content string) {
	if _, is := d.live.names[name]; !is {
		d.next = max(d.next, file)
		d.do(op{Kind: opCreate, File: file, Name: name})
	}
	d.do(op{Kind: opWrite, File: file, Data: []byte(content)})
}

func (m *image) text(name string) string { return string(m.files[m.names[name]]) }

// What was synced survives every cut, what was not may, and names are apart from content.
func TestACutKeepsWhatWasSynced(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range uint64(200) {
		d := newDisk()
		d.write(1, "a", "synced")
		d.syncFile(1)
		d.write(1, "a", "s.....")
		d.do(op{Kind: opRename, Name: "a", Name2: "b"})
		if n := d.cut(seed); n != 2 {
			t.Fatalf("%d units", n)
		}
		if len(d.live.names) != 1 || d.live.text("a")+d.live.text("b") != d.durable.text("a")+d.durable.text("b") {
			t.Fatalf("names %v", d.live.names)
		}
		outcomes[d.live.text("a")+"|"+d.live.text("b")]++
	}
	if len(outcomes) != 4 {
		t.Errorf("outcomes %v, want all four", outcomes)
	}
}

// Every order there is does what it says, and what makes no sense is refused.
func TestOrders(t *testing.T) {
	d := newDisk()
	must := func(order string) {
		t.Helper()
		if err := d.obey([]byte(order)); err != nil {
			t.Fatal(err)
		}
	}
	d.write(1, "a", "one")
	must("settle")
	if len(d.pending) != 0 || d.durable.text("a") != "one" || d.live.names["a"] != 1 {
		t.Errorf("settled: %+v", d.durable)
	}
	must("fail-sync 2 forget")
	d.write(1, "a", "two")
	if e := d.syncFile(1); e != 0 {
		t.Error("the first sync:", e)
	}
	d.write(1, "a", "six")
	if e := d.syncFile(1); e != syscall.EIO || d.durable.text("a") != "two" || d.live.text("a") != "six" {
		t.Errorf("forgotten: %v, %q", e, d.durable.text("a"))
	}
	must("fail-sync 1 land")
	d.write(1, "a", "ten")
	if e := d.syncFile(1); e != syscall.EIO || d.durable.text("a") != "ten" {
		t.Errorf("landed: %v, %q", e, d.durable.text("a"))
	}
	must("fail-write 1")
	if e := d.refuses(1, 3); e != syscall.EIO {
		t.Error("write:", e)
	}
	must("room 4")
	if e := d.refuses(1, 5); e != syscall.ENOSPC {
		t.Error("no room:", e)
	}
	must("dead keep")
	if d.refuses(1, 1) != syscall.EIO || d.syncFile(1) != syscall.EIO {
		t.Error("a dead disk works")
	}
	must("heal")
	if d.refuses(1, 100) != 0 || d.syncFile(1) != 0 {
		t.Error("a healed disk fails")
	}
	for _, order := range []string{"", "dance", "dump /dev/null/x"} {
		if d.obey([]byte(order)) == nil {
			t.Errorf("%q was obeyed", order)
		}
	}
}

// The log is what was done, in order, and can be read again.
func TestTheLogIsWhatWasDone(t *testing.T) {
	d := newDisk()
	d.write(1, "a", "x")
	if err := d.mark([]byte("said")); err != nil {
		t.Fatal(err)
	}
	d.syncFile(1)
	d.syncNames()
	path := filepath.Join(t.TempDir(), "log")
	if err := d.obey([]byte("dump " + path)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dec := gob.NewDecoder(bytes.NewReader(b))
	var kinds []kind
	for {
		var o op
		if dec.Decode(&o) != nil {
			break
		}
		kinds = append(kinds, o.Kind)
	}
	want := []kind{opCreate, opWrite, opMark, opSync, opSyncDir}
	if len(kinds) != len(want) {
		t.Fatalf("kinds %v, want %v", kinds, want)
	}
	for i := range want {
		if kinds[i] != want[i] {
			t.Errorf("kinds %v, want %v", kinds, want)
		}
	}
}
