package haltest_test

import (
	"io"
	"os"
	"testing"
	"time"

	"reversald/hal/haltest"
)

func TestPtyIsACableWithTwoEnds(t *testing.T) {
	master, slave := haltest.Pty(t)
	tty, err := os.OpenFile(slave, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	if _, err := tty.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := io.ReadFull(master, b); err != nil || b[0] != 'x' {
		t.Errorf("master read %q, %v", b, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := master.Read(b)
		ended <- err
	}()
	time.Sleep(time.Millisecond)
	master.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("Read returned without an error")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Close does not end a Read of the master")
	}
}
