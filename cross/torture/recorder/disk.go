//go:build linux && (amd64 || arm64)

package main

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sectorBytes is what a power cut keeps whole or not at all.
const sectorBytes = 512

// kind is what was done. The numbers are part of the log's format.
type kind uint8

const (
	opWrite   kind = iota + 1 // Data at Off of File
	opTrunc                   // File is Off long
	opCreate                  // Name is File
	opLink                    // Name is File, which has another name already
	opRename                  // Name becomes Name2
	opUnlink                  // Name is gone
	opSync                    // of File
	opSyncDir                 // of the folder
	opForget                  // a sync of File failed, and what it should have written is dropped
	opMark                    // somebody wrote Data to .mark
)

// op is one entry of the log, in the order in which the kernel handed it over. The log is a file
// of these, one after the other, as encoding/gob writes them.
type op struct {
	Kind        kind
	File        int // number of the inode, from 1
	Off         int64
	Data        []byte
	Name, Name2 string
}

// image is what is on a disk: files by number, and one folder.
type image struct {
	files map[int][]byte
	names map[string]int
}

func newImage() *image { return &image{files: map[int][]byte{}, names: map[string]int{}} }

func (m *image) put(file int, off int64, b []byte) {
	content := m.files[file]
	if end := off + int64(len(b)); end > int64(len(content)) {
		content = append(content, make([]byte, end-int64(len(content)))...)
	}
	copy(content[off:], b)
	m.files[file] = content
}

// apply does to the image what op says, where there is something to do it to.
func (m *image) apply(o op) {
	switch o.Kind {
	case opWrite:
		m.put(o.File, o.Off, o.Data)
	case opTrunc:
		content := m.files[o.File]
		if o.Off > int64(len(content)) {
			content = append(content, make([]byte, o.Off-int64(len(content)))...)
		}
		m.files[o.File] = content[:o.Off]
	case opCreate, opLink:
		m.names[o.Name] = o.File
	case opRename:
		if file, ok := m.names[o.Name]; ok {
			m.names[o.Name2] = file
			delete(m.names, o.Name)
		}
	case opUnlink:
		delete(m.names, o.Name)
	case opSync, opSyncDir, opForget, opMark:
	}
}

// disk is the file system: what a reader sees, what would be left without power, and the log.
type disk struct {
	mu      sync.Mutex
	live    *image
	durable *image
	pending []op // between the two
	log     []op
	next    int // number of the next inode
	times   map[int]time.Time
	faults  faults
	random  *rand.Rand
}

// faults is what goes wrong. The zero value is a good disk.
type faults struct {
	syncIn  int  // the sync after so many fails; 0: none
	forget  bool // and what it should have written is dropped, as ext4 does; else it landed
	writeIn int  // likewise a write
	dead    bool // every write and every sync fails
	bytes   int64
	delay   time.Duration // a sync takes up to that
}

func newDisk() *disk {
	return &disk{
		live: newImage(), durable: newImage(), times: map[int]time.Time{},
		random: rand.New(rand.NewPCG(1, 1)),
	}
}

// do takes down an operation and lets a reader see it.
func (d *disk) do(o op) {
	d.log = append(d.log, o)
	d.pending = append(d.pending, o)
	d.live.apply(o)
	if o.Kind == opWrite || o.Kind == opTrunc {
		d.times[o.File] = time.Now()
	}
}

// sync makes everything pending that ok accepts durable.
func (d *disk) sync(ok func(op) bool) {
	d.pending = slices.DeleteFunc(d.pending, func(o op) bool {
		if !ok(o) {
			return false
		}
		d.durable.apply(o)
		return true
	})
}

func content(file int) func(op) bool {
	return func(o op) bool { return o.File == file && (o.Kind == opWrite || o.Kind == opTrunc) }
}

func naming(o op) bool {
	return o.Kind == opCreate || o.Kind == opLink || o.Kind == opRename || o.Kind == opUnlink
}

func (d *disk) syncFile(file int) syscall.Errno {
	fails := d.faults.dead
	if d.faults.syncIn > 0 {
		d.faults.syncIn--
		fails = fails || d.faults.syncIn == 0
	}
	switch {
	case fails && d.faults.forget:
		d.log = append(d.log, op{Kind: opForget, File: file})
		d.pending = slices.DeleteFunc(d.pending, content(file))
		return syscall.EIO
	case fails && d.faults.dead:
		return syscall.EIO
	}
	d.log = append(d.log, op{Kind: opSync, File: file})
	// The file's name is durable with it, as on ext4 and f2fs, and what was done to names before
	// that is then as well: names keep their order. Who judges the log may be stricter.
	named := -1
	for i := range d.pending {
		if o := &d.pending[i]; o.Kind == opCreate && o.File == file {
			named = i
		}
	}
	at := -1
	d.sync(func(o op) bool {
		at++
		return content(file)(o) || (naming(o) && at <= named)
	})
	if fails {
		return syscall.EIO
	}
	return 0
}

func (d *disk) syncNames() {
	d.log = append(d.log, op{Kind: opSyncDir})
	d.sync(naming)
}

// hint says whether a file is one that its writer never waits for and may do without: the mark that
// a journal leaves beside itself. That a write of it fails ends nobody.
func (d *disk) hint(file int) bool {
	for name, f := range d.live.names {
		if f == file && strings.HasSuffix(name, ".closed") {
			return true
		}
	}
	return false
}

// refuses says whether a write that lets a file grow to size fails.
func (d *disk) refuses(file int, size int64) syscall.Errno {
	if d.faults.writeIn > 0 && !d.hint(file) {
		if d.faults.writeIn--; d.faults.writeIn == 0 {
			return syscall.EIO
		}
	}
	if d.faults.dead {
		return syscall.EIO
	}
	if d.faults.bytes > 0 && size > int64(len(d.live.files[file])) {
		sum := size - int64(len(d.live.files[file]))
		for _, f := range d.live.names {
			sum += int64(len(d.live.files[f]))
		}
		if sum > d.faults.bytes {
			return syscall.ENOSPC
		}
	}
	return 0
}

// cut is the power cut: of what was not synced, a random set of sectors and names survives, and
// it returns out of how many. All numbers are new afterwards, so that the kernel forgets as well.
func (d *disk) cut(seed uint64) (units int) {
	random := rand.New(rand.NewPCG(seed, 2))
	share := random.IntN(101)
	keep := func() bool {
		units++
		return random.IntN(100) < share
	}
	for _, o := range d.pending {
		if o.Kind != opWrite {
			if keep() {
				d.durable.apply(o)
			}
			continue
		}
		for at := 0; at < len(o.Data); {
			end := min(len(o.Data), at+sectorBytes-int((o.Off+int64(at))%sectorBytes))
			if keep() {
				d.durable.put(o.File, o.Off+int64(at), o.Data[at:end])
			}
			at = end
		}
	}
	d.pending = nil
	d.settle(true)
	return units
}

// settle makes what is durable all there is, and the log begins with it. New numbers are for a cut:
// who has a file open does not see it any more.
func (d *disk) settle(anew bool) {
	d.log = nil
	now, times := newImage(), map[int]time.Time{}
	moved := map[int]int{}
	for _, name := range slices.Sorted(maps.Keys(d.durable.names)) {
		was := d.durable.names[name]
		file, known := moved[was]
		if !known {
			if file = was; anew {
				d.next++
				file = d.next
			}
			moved[was] = file
			now.files[file] = d.durable.files[was]
			times[file] = d.times[was]
		}
		now.names[name] = file
		d.log = append(d.log, op{Kind: opCreate, File: file, Name: name})
		if !known {
			d.log = append(d.log, op{
				Kind: opWrite, File: file, Data: slices.Clone(d.durable.files[was]),
			}, op{Kind: opSync, File: file})
		}
	}
	d.log = append(d.log, op{Kind: opSyncDir})
	d.durable, d.times = now, times
	d.live = newImage()
	for name, file := range now.names {
		d.live.names[name] = file
		d.live.files[file] = slices.Clone(now.files[file])
	}
}
