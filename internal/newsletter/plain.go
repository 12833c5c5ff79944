package newsletter

import "regexp"

// addresses are e-mail addresses as relays quote them, quoted local parts too; or the
// beginning of a relay's own address without a password, smtp://user@, which is none.
var addresses = regexp.MustCompile(`[a-z]+://[^\s/@:]*@|"[^"]*"@[^\s<>"'(),;:]+|[^\s<>"'(),;:]+@[^\s<>"'(),;:]+`)

// HideAddresses puts "(address)" in the place of every e-mail address. The words of relays,
// which like to repeat whom they refuse, go through it before they come into a log, a reason
// or an alarm; the ledger keeps them as they are.
func HideAddresses(s string) string {
	return addresses.ReplaceAllStringFunc(s, func(found string) string {
		if found[len(found)-1] == '@' {
			return found
		}
		return "(address)"
	})
}
