package store

import "syscall"

// Place is where a journal lies, or would.
type Place struct {
	Filesystem string // its name, or its number where nobody has named it
	Unfit      bool   // it can not keep a journal
	Free       int64  // bytes that we may still write
	Total      int64  // bytes
	FreeNodes  uint64 // files that may still be made; 0 of 0 where it does not count them
	Nodes      uint64
}

// LookAt says what the file system of a directory is, and how full.
func LookAt(dir string) (Place, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Place{}, permission(err)
	}
	name, unfit := judgeFilesystem(uint32(st.Type))
	block := int64(st.Bsize) //nolint:unconvert // 32 bits wide on ARM
	return Place{
		Filesystem: name, Unfit: unfit, Free: int64(st.Bavail) * block,
		Total: int64(st.Blocks) * block, FreeNodes: st.Ffree, Nodes: st.Files,
	}, nil
}
