// Command storm proves the journal against power cuts.
//
// Think of a crash laboratory: one process drives (storm write keeps a real journal on a disk that
// remembers everything, see the recorder of make torture), another takes the disk's log and stages
// every way the drive could have ended (storm judge), each on a fresh copy, and looks at what the
// next start makes of it. Everything acknowledged must be there, at most what was on its way in
// addition, the chain must hold and the files must prove themselves.
//
//	storm write -dir DIR -steps open,append:20,rotate,append:5,close
//	storm judge -log FILE
//	storm plain -dir DIR -careless -commits 20
//	storm judge -log FILE -plain
//
// plain is bbolt as it comes out of the box. It is there to fail: a judge who finds nothing wrong
// with it finds nothing.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes.
const (
	exitDone  = 0
	exitFound = 1 // judge: something is wrong with the journal
	exitUsage = 64
	exitHung  = 70 // worker: a state was not judged in its time
	exitFull  = 73 // write: no room
	exitDead  = 75 // write: the journal is dead, as after a failed sync
)

// exitError is an exit code with its reason.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return e.err.Error() }
func (e exitError) Unwrap() error { return e.err }

func run(args []string, stdout, stderr io.Writer) int {
	commands := map[string]func([]string, io.Writer, io.Writer) error{
		"write": write, "plain": plain, "judge": judge, "worker": work,
		"examine": examine, "sample": sample,
	}
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	command, ok := commands[name]
	if !ok {
		fmt.Fprintln(stderr, "storm: want write, plain or judge; each has -help")
		return exitUsage
	}
	err := command(args[1:], stdout, stderr)
	var exit exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		fmt.Fprintln(stderr, "storm:", err)
		return exit.code
	}
	fmt.Fprintln(stderr, "storm:", err)
	return exitFound
}
