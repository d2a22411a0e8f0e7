// Command drill rehearses a technician's visit with the tools of a real one: picocom in an 80 by 24
// screen that tmux keeps, a serial cable made of two ptys at 115200 baud, lrzsz to receive a file,
// and a terminal whose network is dead.
//
// It checks what is on the screen at every step, in the end the books of the host, and whether
// agent/console/CONSOLE.md shows what was on the screens, but for times and the like. With -screens
// it prints every screen, for the document. With -knock it plays the least of a visit, which needs
// none of those tools.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

func main() {
	reversald := flag.String("reversald", "bin/reversald", "which reversald")
	acquirerd := flag.String("acquirerd", "bin/acquirerd", "which acquirerd")
	terminal := flag.String("terminal", "", "command line of the terminal's reversald, "+
		"when it is another, or runs under an emulator")
	least := flag.Bool("knock", false, "only a log-in, refused and let in")
	screens := flag.Bool("screens", false, "print the screen after every step")
	measure := flag.Bool("figures", false, "measure: print name value unit goal ok|short")
	document := flag.String("document", "agent/console/CONSOLE.md",
		"compare the screens that it shows; empty: none")
	keep := flag.Bool("keep", false, "keep the files")
	flag.Parse()
	p := programs{
		reversald: *reversald, acquirerd: *acquirerd, terminal: strings.Fields(*terminal),
	}
	os.Exit(run(p, play{*measure, *least, *screens, *keep, *document}))
}

// play is what is drilled.
type play struct {
	measure, knock, screens, keep bool
	document                      string
}

func run(p programs, what play) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p.ctx = ctx
	if what.measure {
		return figures(p)
	}
	if what.knock {
		if err := knock(p); err != nil {
			fmt.Fprintf(os.Stderr, "drill: the console: %v\n", err)
			return 1
		}
		return 0
	}
	for tool, from := range map[string]string{"picocom": "picocom", "tmux": "tmux", "rb": "lrzsz"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintf(os.Stderr, "drill: %s is not installed: apt-get install %s\n", tool, from)
			return 1
		}
	}
	d, err := open(p, visit)
	if err == nil {
		err = d.sit()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "drill: %v\n", err)
		return 1
	}
	d.screens = what.screens
	defer d.close(what.keep)
	for _, step := range steps() {
		fmt.Printf("%s\n", step.title)
		if err := step.do(d); err != nil {
			screen, _ := d.screen()
			fmt.Fprintf(os.Stderr, "drill: %s: %v\nthe screen:\n%s\nthe terminal's log:\n%s\n",
				step.title, err, screen, d.tail("reversald.log"))
			return 1
		}
	}
	fmt.Println("the visit went as it should")
	if what.document == "" {
		return 0
	}
	if err := d.documented(what.document); err != nil {
		fmt.Fprintf(os.Stderr, "drill: %v\nto see the screens: make drill DRILLFLAGS=-screens\n",
			err)
		return 1
	}
	fmt.Printf("%s shows it as it is\n", what.document)
	return 0
}
