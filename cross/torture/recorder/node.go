//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// root is the folder.
type root struct {
	fs.Inode
	d *disk
}

var (
	_ fs.NodeLookuper  = (*root)(nil)
	_ fs.NodeCreater   = (*root)(nil)
	_ fs.NodeLinker    = (*root)(nil)
	_ fs.NodeRenamer   = (*root)(nil)
	_ fs.NodeUnlinker  = (*root)(nil)
	_ fs.NodeFsyncer   = (*root)(nil)
	_ fs.NodeReaddirer = (*root)(nil)
	_ fs.NodeStatfser  = (*root)(nil)
)

// firstNumber keeps the numbers of inodes away from those of the root and of the two that are no
// files.
const firstNumber = 16

const (
	markName, controlName = ".mark", ".ctl"
	markNumber            = 2
	controlNumber         = 3
)

func (r *root) node(ctx context.Context, file int) *fs.Inode {
	return r.NewInode(ctx, &node{d: r.d, file: file},
		fs.StableAttr{Mode: syscall.S_IFREG, Ino: uint64(file) + firstNumber})
}

// Lookup finds a file by its name.
func (r *root) Lookup(
	ctx context.Context, name string, out *fuse.EntryOut,
) (*fs.Inode, syscall.Errno) {
	switch name {
	case markName:
		out.Mode = syscall.S_IFREG | 0o600
		return r.NewInode(ctx, &order{d: r.d, take: (*disk).mark},
			fs.StableAttr{Mode: syscall.S_IFREG, Ino: markNumber}), 0
	case controlName:
		out.Mode = syscall.S_IFREG | 0o600
		return r.NewInode(ctx, &order{d: r.d, take: (*disk).obey},
			fs.StableAttr{Mode: syscall.S_IFREG, Ino: controlNumber}), 0
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	file, ok := r.d.live.names[name]
	if !ok {
		return nil, syscall.ENOENT
	}
	r.d.describe(file, &out.Attr)
	return r.node(ctx, file), 0
}

// Create makes an empty file.
func (r *root) Create(
	ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut,
) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if r.d.faults.dead {
		return nil, nil, 0, syscall.EIO
	}
	r.d.next++
	file := r.d.next
	r.d.live.files[file] = []byte{}
	r.d.times[file] = time.Now()
	r.d.do(op{Kind: opCreate, File: file, Name: name})
	r.d.describe(file, &out.Attr)
	return r.node(ctx, file), nil, 0, 0
}

// Link gives a file a second name.
func (r *root) Link(
	ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut,
) (*fs.Inode, syscall.Errno) {
	n, ok := target.(*node)
	if !ok {
		return nil, syscall.EPERM
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if _, is := r.d.live.names[name]; is {
		return nil, syscall.EEXIST
	}
	r.d.do(op{Kind: opLink, File: n.file, Name: name})
	r.d.describe(n.file, &out.Attr)
	return r.node(ctx, n.file), 0
}

// Rename is atomic, as it is on every file system that keeps a journal.
func (r *root) Rename(
	_ context.Context, name string, _ fs.InodeEmbedder, to string, _ uint32,
) syscall.Errno {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if _, is := r.d.live.names[name]; !is {
		return syscall.ENOENT
	}
	if r.d.faults.dead {
		return syscall.EIO
	}
	r.d.do(op{Kind: opRename, Name: name, Name2: to})
	return 0
}

// Unlink takes a name away.
func (r *root) Unlink(_ context.Context, name string) syscall.Errno {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if _, is := r.d.live.names[name]; !is {
		return syscall.ENOENT
	}
	r.d.do(op{Kind: opUnlink, Name: name})
	return 0
}

// Fsync makes names durable.
func (r *root) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if r.d.faults.dead {
		return syscall.EIO
	}
	r.d.syncNames()
	return 0
}

// Readdir lists the files.
func (r *root) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	var entries []fuse.DirEntry
	for name, file := range r.d.live.names {
		entries = append(entries, fuse.DirEntry{
			Name: name, Mode: syscall.S_IFREG, Ino: uint64(file) + firstNumber,
		})
	}
	return fs.NewListDirStream(entries), 0
}

// Statfs says that there is room, or as much as the fault leaves.
func (r *root) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	const blockBytes, roomy = 4096, 1 << 20
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	out.Bsize, out.Frsize, out.NameLen = blockBytes, blockBytes, 255
	out.Blocks, out.Bfree = roomy, roomy/2
	out.Bavail = out.Bfree
	return 0
}

// node is a file.
type node struct {
	fs.Inode
	d    *disk
	file int
}

var (
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFlusher   = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
)

// describe fills in what stat shows.
func (d *disk) describe(file int, a *fuse.Attr) {
	a.Mode = syscall.S_IFREG | 0o600
	a.Nlink = 0
	for _, f := range d.live.names {
		if f == file {
			a.Nlink++
		}
	}
	a.Size = uint64(len(d.live.files[file]))
	a.Blocks = (a.Size + sectorBytes - 1) / sectorBytes
	at := d.times[file]
	a.SetTimes(&at, &at, &at)
}

// Open lets the page cache work, because a journal is mapped, and drops what an earlier open left.
func (*node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

// Getattr is stat.
func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	n.d.describe(n.file, &out.Attr)
	return 0
}

// Setattr changes the size; owner, mode and times are what they are.
func (n *node) Setattr(
	_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut,
) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		if errno := n.d.refuses(n.file, int64(size)); errno != 0 {
			return errno
		}
		n.d.do(op{Kind: opTrunc, File: n.file, Off: int64(size)})
	}
	n.d.describe(n.file, &out.Attr)
	return 0
}

// Read gives what was written, synced or not.
func (n *node) Read(
	_ context.Context, _ fs.FileHandle, dest []byte, off int64,
) (fuse.ReadResult, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	all := n.d.live.files[n.file]
	if off >= int64(len(all)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, all[off:])]), 0
}

// Write takes it down.
func (n *node) Write(
	_ context.Context, _ fs.FileHandle, data []byte, off int64,
) (uint32, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if errno := n.d.refuses(n.file, off+int64(len(data))); errno != 0 {
		return 0, errno
	}
	n.d.do(op{Kind: opWrite, File: n.file, Off: off, Data: slices.Clone(data)})
	return uint32(len(data)), 0
}

// Flush is close: nothing becomes durable by it.
func (*node) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

// Fsync makes the content durable, after a while if that was asked for: two files that are synced
// side by side are then done now in this order, now in that.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.d.mu.Lock()
	var wait time.Duration
	if n.d.faults.delay > 0 {
		wait = time.Duration(n.d.random.Int64N(int64(n.d.faults.delay)))
	}
	n.d.mu.Unlock()
	time.Sleep(wait)
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	return n.d.syncFile(n.file)
}

// order is a file that is none: what is written to it is taken as an order.
type order struct {
	fs.Inode
	d    *disk
	take func(*disk, []byte) error
}

var (
	_ fs.NodeOpener    = (*order)(nil)
	_ fs.NodeGetattrer = (*order)(nil)
	_ fs.NodeSetattrer = (*order)(nil)
	_ fs.NodeWriter    = (*order)(nil)
)

// Open takes no page cache: an order arrives at once.
func (*order) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

// Getattr shows an empty file.
func (*order) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = syscall.S_IFREG | 0o600
	return 0
}

// Setattr lets whoever truncates before writing do so.
func (*order) Setattr(
	_ context.Context, _ fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut,
) syscall.Errno {
	out.Mode = syscall.S_IFREG | 0o600
	return 0
}

// Write obeys, and fails with EINVAL when the order makes no sense.
func (o *order) Write(
	_ context.Context, _ fs.FileHandle, data []byte, _ int64,
) (uint32, syscall.Errno) {
	o.d.mu.Lock()
	defer o.d.mu.Unlock()
	if err := o.take(o.d, data); err != nil {
		return 0, syscall.EINVAL
	}
	return uint32(len(data)), 0
}
