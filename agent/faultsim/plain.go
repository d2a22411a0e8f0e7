package faultsim

import "errors"

func newReal(*world) (machine, error)        { return nil, errors.New("not yet") }
func newPlain(*world, bool) (machine, error) { return nil, errors.New("not yet") }
