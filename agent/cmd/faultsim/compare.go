package main

import "io"

func compare(order, io.Writer) (bool, error) { return true, nil }
