package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
)

// sectorBytes is what a power cut keeps whole or not at all.
const sectorBytes = 512

// kind is what was done to a disk. The numbers are those of the recorder's log.
type kind uint8

const (
	opWrite kind = iota + 1
	opTrunc
	opCreate
	opLink
	opRename
	opUnlink
	opSync
	opSyncDir
	opForget
	opMark
)

// op is one entry of the log, in the order in which the kernel handed it over.
type op struct {
	Kind        kind
	File        int
	Off         int64
	Data        []byte
	Name, Name2 string
}

func (o *op) content() bool { return o.Kind == opWrite || o.Kind == opTrunc }

func (o *op) naming() bool { return o.Kind >= opCreate && o.Kind <= opUnlink }

func readLog(path string) ([]op, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	dec := gob.NewDecoder(bufio.NewReaderSize(f, 1<<20))
	var log []op
	for {
		var o op
		err := dec.Decode(&o)
		if errors.Is(err, io.EOF) {
			return log, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		log = append(log, o)
	}
}

// image is what is on a disk: files by number, and one folder.
type image struct {
	files map[int][]byte
	names map[string]int
}

func newImage() *image { return &image{files: map[int][]byte{}, names: map[string]int{}} }

// become makes the image a copy of another, in the memory it has.
func (m *image) become(from *image) {
	for file := range m.files {
		if _, is := from.files[file]; !is {
			delete(m.files, file)
		}
	}
	for file, content := range from.files {
		m.files[file] = append(m.files[file][:0], content...)
	}
	clear(m.names)
	maps.Copy(m.names, from.names)
}

func (m *image) put(file int, off int64, b []byte) {
	content := m.grown(file, off+int64(len(b)))
	copy(content[off:], b)
	m.files[file] = content
}

func (m *image) grown(file int, size int64) []byte {
	content := m.files[file]
	if n := size - int64(len(content)); n > 0 {
		content = append(content, make([]byte, n)...)
	}
	return content
}

// apply does to the image what op says, where there is something to do it to.
func (m *image) apply(o *op) {
	switch o.Kind {
	case opWrite:
		m.put(o.File, o.Off, o.Data)
	case opTrunc:
		m.files[o.File] = m.grown(o.File, o.Off)[:o.Off]
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

// drop forgets files that have lost their last name and that nothing pending names again.
func (m *image) drop(pending []op) {
	named := map[int]bool{}
	for _, file := range m.names {
		named[file] = true
	}
	for i := range pending {
		named[pending[i].File] = true
	}
	for file := range m.files {
		if !named[file] {
			delete(m.files, file)
		}
	}
}
