package main

import "io"

func writeCosts(out io.Writer) error { return nil }
