package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed init.sh
var initScript []byte

// flashBytes is the size of the machine's second flash chip, which qemu fixes at 64 MiB; the
// journal's partition is all of it.
const flashBytes = 64 << 20

// eraseBytes is the size of its erase blocks.
const eraseBytes = "256KiB"

// file is one entry of the initramfs.
type file struct {
	name    string
	mode    int // with the bits of its type, as in stat
	content []byte
}

const (
	folder  = 0o040755
	program = 0o100755
	text    = 0o100644
)

// initramfs writes what the kernel unpacks into memory at boot: busybox, reversald, an init and
// a configuration. Nothing in it survives; only the flash does.
func initramfs(path, busybox, reversald, config string) error {
	files := make([]file, 0, 20)
	for _, name := range []string{
		"bin", "dev", "proc", "sys", "run", "tmp", "etc", "etc/reversald", "var", "var/lib",
		"var/lib/reversald",
	} {
		files = append(files, file{name, folder, nil})
	}
	for name, from := range map[string]string{"bin/busybox": busybox, "bin/reversald": reversald} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		files = append(files, file{name, program, content})
	}
	files = append(files,
		file{"init", program, initScript},
		file{"etc/reversald/reversald.yaml", text, []byte(config)},
		file{"TRAILER!!!", 0, nil})
	var packed bytes.Buffer
	squeeze := gzip.NewWriter(&packed)
	var archive bytes.Buffer
	for i, f := range files {
		cpio(&archive, i+1, f)
	}
	if _, err := squeeze.Write(archive.Bytes()); err != nil {
		return err
	}
	if err := squeeze.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, packed.Bytes(), 0o600)
}

// cpio appends an entry in the kernel's "newc" format: hexadecimal fields of eight digits, name
// and content padded to four bytes.
func cpio(out *bytes.Buffer, inode int, f file) {
	fmt.Fprintf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		inode, f.mode, 0, 0, 1, 0, len(f.content), 0, 0, 0, 0, len(f.name)+1, 0)
	out.WriteString(f.name)
	out.WriteByte(0)
	pad(out)
	out.Write(f.content)
	pad(out)
}

func pad(out *bytes.Buffer) {
	for out.Len()%4 != 0 {
		out.WriteByte(0)
	}
}

// newFlash makes the contents of a chip fresh from the factory line: UBI with one volume that
// takes all there is; UBIFS makes itself when it is first mounted.
func newFlash(path string) error {
	dir := filepath.Dir(path)
	layout := filepath.Join(dir, "ubi.ini")
	err := os.WriteFile(layout, []byte("[data]\nmode=ubi\nvol_id=0\nvol_type=dynamic\n"+
		"vol_name=data\nvol_size=32MiB\nvol_flags=autoresize\n"), 0o600)
	if err != nil {
		return err
	}
	image := filepath.Join(dir, "ubi.img")
	// NOR flash writes single bytes; the sizes are those of the chip.
	made := exec.Command("ubinize", "-o", image, "-m", "1", "-p", eraseBytes, layout)
	if out, err := made.CombinedOutput(); err != nil {
		return fmt.Errorf("ubinize: %w: %s", err, out)
	}
	content, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	erased := bytes.Repeat([]byte{0xff}, flashBytes-len(content))
	return os.WriteFile(path, append(content, erased...), 0o600) //nolint:gosec // a folder of ours
}
