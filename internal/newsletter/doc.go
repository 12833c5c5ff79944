// Package newsletter is the domain of Broadsheet: what a newsletter, an article, an
// edition, a delivery and a subscriber are, and the rules that need nothing but them.
//
// It imports the standard library only, does no I/O, and reads no clock: every rule
// about time takes the time as an argument.
package newsletter
