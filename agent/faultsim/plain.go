package faultsim

import "errors"

func newPlain(*world, bool) (machine, error) { return nil, errors.New("not yet") }
