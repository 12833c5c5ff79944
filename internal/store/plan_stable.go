//go:build !linux

package store

// stablePlans makes SQLite keep its plans on Linux, where the program serves; elsewhere it is slower.
func stablePlans() error { return nil }
