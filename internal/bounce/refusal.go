package bounce

import (
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"
)

// Refusal judges what a relay answered to the recipient (RCPT) of a message, by the same rules
// as a report that quotes such an answer. ok is false if it says nothing about the address that
// is so for good.
func Refusal(o newsletter.Outcome) (r newsletter.Return, ok bool) {
	said := strings.Join(strings.Fields(strconv.Itoa(o.Code)+" "+o.Enhanced+" "+o.Reply), " ")
	got := judge(failure{action: "failed", status: o.Enhanced, diagnostic: "smtp; " + said, stage: stageRecipient})
	if got.Kind != newsletter.ReturnHard {
		return r, false
	}
	return newsletter.Return{
		Kind: got.Kind, Status: got.Status, Code: got.Code, Reason: got.Reason,
		Diagnostic: line(o.Reply, newsletter.MaxReply), Channel: newsletter.ChannelRelay,
	}, true
}
