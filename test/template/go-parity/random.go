package main

func randomCases(seed uint64, count int) []Case { return nil }
