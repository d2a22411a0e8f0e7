package main

import "context"

func (g *ground) liveCuts(context.Context) error   { return errSkipped }
func (g *ground) syncFaults(context.Context) error { return errSkipped }
func (g *ground) fullDisk(context.Context) error   { return errSkipped }
