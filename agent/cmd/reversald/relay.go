package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"reversald/agent/badge"
	"reversald/agent/console"
	"reversald/hal"
	"reversald/hal/relay"
)

// relayFlags are what the laptop is told.
type relayFlags struct {
	port string
	baud int
	to   []string
	key  string
}

// relayCommand lends a laptop's network to a terminal at the other end of a serial cable.
func relayCommand(o *options) *cobra.Command {
	var f relayFlags
	cmd := &cobra.Command{
		Use:   "relay --port PORT --to HOST:PORT",
		Short: "lend this laptop's network to a terminal on a serial cable",
		Long: "relay carries a terminal's line to its host over a serial cable, so that stuck\n" +
			"reversals go out while the terminal's own network is dead. What goes through is\n" +
			"not looked at, and TLS passes untouched. The terminal decides which hosts it\n" +
			"calls; this laptop calls none but those of --to.\n\n" +
			"With --key it logs in at the console and asks for the relay by itself. Without,\n" +
			"log in with a terminal program, say relay there, and leave it without hanging up.\n" +
			"Ctrl-C ends it.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.port == "" || len(f.to) == 0 {
				return usageError{errors.New("--port and --to are wanted")}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return o.relay(ctx, f)
		},
	}
	cmd.Flags().StringVar(&f.port, "port", "",
		"serial port: /dev/ttyUSB0, /dev/cu.usbserial-1, COM3")
	cmd.Flags().IntVar(&f.baud, "baud", 115200, "its speed, as the terminal's console.baud")
	cmd.Flags().StringSliceVar(&f.to, "to", nil, "host:port that the terminal may call; repeatable")
	cmd.Flags().StringVar(&f.key, "key", "", "technician's key to log in with")
	return cmd
}

// relayPatience is how long a terminal may be silent before the laptop gives up.
const relayPatience = 30 * time.Second

func (o *options) relay(ctx context.Context, f relayFlags) error {
	port, err := hal.Serial{Baud: f.baud}.Open(ctx, f.port)
	if err != nil {
		return toolError{
			err, exitUnavailable, "name the port with --port; no other program may hold it",
		}
	}
	defer func() { _ = port.Close() }()
	var wire io.ReadWriter = port
	if f.key != "" {
		if wire, err = o.relayLogin(ctx, port, f.key); err != nil {
			return err
		}
	}
	line := relay.NewLine(wire, relay.Options{
		Baud: f.baud, Offer: f.to, Patience: relayPatience,
		Up: func(up bool) {
			if up {
				o.printf("the terminal is there\n")
			} else {
				o.printf("the terminal is lost, waiting\n")
			}
		},
	})
	serving, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_ = relay.Serve(serving, line, f.to, func(e relay.Event) {
			text := fmt.Sprintf("%s %s", e.Address, e.What)
			if e.What == "ended" {
				text += fmt.Sprintf(", %d bytes to the host, %d back", e.ToHost, e.FromIt)
			}
			if e.Err != nil && ctx.Err() == nil {
				text += ": " + e.Err.Error()
			}
			o.printf("%s\n", text)
		})
	}()
	err = line.Run(ctx)
	s := line.Stats()
	o.printf("the relay has ended: %d frames, %d bad, %d sent again\n", s.Frames, s.Bad, s.Resent)
	if ctx.Err() != nil {
		return nil
	}
	hint := "look at the terminal: log in, and say relay"
	if errors.Is(err, relay.ErrNobody) {
		hint = "log in at the console and say relay first, or give --key; is --baud the terminal's?"
	}
	return toolError{err, exitUnavailable, hint}
}

// relayLogin logs in at the console, and asks for the relay.
func (o *options) relayLogin(
	ctx context.Context, port *hal.Port, key string,
) (io.ReadWriter, error) {
	sign := func(c badge.Challenge) (string, error) {
		answer, who, err := o.sign(key, c)
		if err == nil {
			o.printf("%s logs in to terminal %s\n", who, c.Terminal)
		}
		return answer, err
	}
	wire, err := console.Enter(ctx, port, sign, "relay", console.RelayReady)
	var tool toolError
	if err != nil && !errors.As(err, &tool) {
		err = toolError{err, exitUnavailable, "log in with a terminal program to see what it says"}
	}
	return wire, err
}
