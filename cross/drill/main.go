// Command drill rehearses a technician's visit with the tools of a real one: picocom in an 80 by 24
// screen that tmux keeps, a serial cable made of two ptys at 115200 baud, lrzsz to receive a file,
// and a terminal whose network is dead.
//
// It checks what is on the screen at every step, and in the end the books of the host. With
// -screens it prints every screen; agent/console/CONSOLE.md shows such a run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

func main() {
	reversald := flag.String("reversald", "bin/reversald", "which reversald")
	acquirerd := flag.String("acquirerd", "bin/acquirerd", "which acquirerd")
	screens := flag.Bool("screens", false, "print the screen after every step")
	measure := flag.Bool("figures", false, "measure: print name value unit goal ok|short")
	keep := flag.Bool("keep", false, "keep the files")
	flag.Parse()
	os.Exit(run(programs{reversald: *reversald, acquirerd: *acquirerd}, *measure, *screens, *keep))
}

func run(p programs, measure, screens, keep bool) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p.ctx = ctx
	if measure {
		return figures(p)
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
	d.screens = screens
	defer d.close(keep)
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
	return 0
}
