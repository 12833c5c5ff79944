package bounce

import (
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

// What systems answer at RCPT, and what it means. The addresses are our own.
const replies = `
hard user_unknown     550 5.1.1 <maud@reader.example>: Recipient address rejected: User unknown in local recipient table
hard user_unknown     550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address
hard user_unknown     550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient maud@reader.example not found by SMTP address lookup
hard user_unknown     554 delivery error: dd This user doesn't have a reader.example account (maud@reader.example) [0]
hard user_unknown     550 No Such User Here
hard user_unknown     550 Invalid recipient: maud@reader.example
hard user_unknown     550 unknown user <maud@reader.example>
hard user_unknown     550 Requested action not taken: mailbox unavailable
hard user_unknown     550 5.1.1 Unknown or illegal alias
hard user_unknown     511 sorry, no mailbox here by that name (#5.1.1 - chkuser)
hard user_unknown     553 sorry, this recipient is not in my validrcptto list (#5.1.1)
hard user_unknown     550 5.4.1 Recipient address rejected: Access denied.
hard user_unknown     550 5.1.1 Adresse inconnue
hard user_unknown     550 Empfänger unbekannt
hard user_unknown     550 5.1.0 Address rejected: no such user
hard host_unknown     550 5.1.2 Host unknown (Name server: host not found)
hard host_unknown     550 5.4.4 Unrouteable mail domain
hard moved            551 5.1.6 User has moved; please try elsewhere
hard no_mail          556 5.1.10 Domain does not accept mail (null MX)
soft mailbox_full     552 5.2.2 The email account that you tried to reach is over quota
soft mailbox_full     452 4.2.2 Mailbox full
soft mailbox_full     550 5.1.1 User's mailbox is full, user unknown
soft mailbox_full     552 1 Requested mail action aborted, mailbox not found: quota exceeded
soft mailbox_full     554 5.2.2 mailbox full;STOREDRV.Deliver.Exception:QuotaExceededException
soft suspended        554 30 Sorry, your message to maud@reader.example cannot be delivered. This mailbox is disabled (554.30).
soft suspended        550 5.2.1 The user you are trying to contact is receiving mail at an inactive account is disabled
soft suspended        550 Account suspended
soft spam             554 5.7.1 Spam message rejected
soft spam             550 High probability of spam
soft blocked          554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using bl.list.example
soft blocked          550 5.7.1 Unfortunately, messages from [192.0.2.10] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).
soft blocked          421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily blocked due to user complaints
soft blocked          550 5.7.25 The IP address sending this message does not have a PTR record setup
soft blocked          554 Your access to this mail system has been rejected due to the sending MTA's poor reputation
soft auth_failed      550 5.7.26 This mail is unauthenticated, which poses a security risk
soft auth_failed      550 5.7.1 SPF check failed: domain does not designate the host
soft auth_failed      550 5.7.509 Access denied, sending domain does not pass DMARC verification
soft rate_limited     452 4.5.3 Too many recipients
soft rate_limited     421 4.7.28 Our system has detected an unusual rate of unsolicited mail; rate limited
soft relay_denied     554 5.7.1 <maud@reader.example>: Relay access denied
soft relay_denied     550 relay not permitted
soft relay_denied     553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
soft rejected         553 5.1.8 Domain of sender address does not exist
soft rejected         550 5.7.1 Sender address rejected: user unknown
soft rejected         550 5.1.0 Sender denied
soft auth_failed      550 5.7.133 Sender not authenticated for group; you do not have permission to send
soft too_big          552 5.3.4 Message size exceeds fixed maximum message size
soft too_big          550 5.2.3 Message too large for this recipient
soft virus            550 5.7.1 Virus found in message
soft network          550 5.4.6 mail for reader.example loops back to myself
soft network          451 4.4.1 Host not found, try again
soft policy           550 5.7.1 Message refused by local policy
soft content          550 5.6.0 Message is not RFC 5322 compliant: missing Date header
soft system           451 4.3.0 Temporary lookup failure
soft expired          554 5.4.7 Message expired, could not be delivered in time
soft unknown          550 Nope
soft relay_list       550 5.1.1 The message was not handed on, as the address is on the suppression list for your account
soft filtered         450 4.1.1 <maud@reader.example>: Recipient address rejected: unverified address: user unknown
`

func TestJudge_SaysWhatRepliesMean(t *testing.T) {
	t.Parallel()
	for row := range strings.Lines(strings.TrimSpace(replies)) {
		f := strings.Fields(row)
		reply := strings.Join(f[2:], " ")
		got := judge(failure{address: "maud@reader.example", action: "failed", diagnostic: "smtp; " + reply, status: "5.0.0", machine: true, stage: stageRecipient})
		if string(got.Kind) != f[0] || got.Reason != f[1] {
			t.Errorf("%s\n\tis read as %s %s, and is %s %s", reply, got.Kind, got.Reason, f[0], f[1])
		}
	}
}

// What is said of who we are, or of the message, is not said of the address.
func TestJudge_HardOnlyWhatIsSaidOfTheAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stage stage
		reply string
		want  string
	}{
		{stageRecipient, "550 user unknown", "hard"},
		{stageUnknown, "550 <maud@reader.example> user unknown", "hard"},
		{stageUnknown, "550 user unknown", "soft"},
		{stageUnknown, "user unknown", "soft"},
		{stageData, "550 <maud@reader.example> user unknown", "soft"},
		{stageData, "550 5.1.1 user unknown", "hard"},
		{stageSender, "550 5.1.1 user unknown", "soft"},
		{stageRecipient, "550 5.2.0 user unknown", "soft"},
		{stageRecipient, "550 5.2.1 user unknown", "hard"},
		{stageUnknown, "550 5.2.1 user unknown", "soft"},
		{stageData, "550 host unknown", "soft"},
		{stageRecipient, "550 5.1.1 user unknown: lookup temporarily failed, try again later", "soft"},
		{stageUnknown, "550 <maud@reader.example> Requested action not taken: mailbox unavailable", "soft"},
		{stageRecipient, "550 Requested action not taken: mailbox unavailable", "hard"},
	} {
		got := judge(failure{action: "failed", diagnostic: "smtp; " + c.reply, status: "5.0.0", machine: true, stage: c.stage})
		if string(got.Kind) != c.want {
			t.Errorf("stage %d, %q: %s %s, want %s", c.stage, c.reply, got.Kind, got.Reason, c.want)
		}
	}
	for reply, want := range map[string]bool{"5.1.1 no such user": true, " no such user": true, "5.1.1 ": true, "5.7.1 user unknown to this list of blocked hosts": false, "5.1.8 no such sender domain": false, " go away": false} {
		enhanced, text, _ := strings.Cut(reply, " ")
		if got, ok := Refusal(newsletter.Outcome{Code: 550, Enhanced: enhanced, Reply: text}); ok != want {
			t.Errorf("the refusal %q is judged %v: %+v", reply, ok, got)
		}
	}
	if got := judge(failure{action: "failed", diagnostic: "smtp; 550 5.1.1 user unknown", status: "4.0.0", machine: true, stage: stageRecipient}); got.Kind != "soft" {
		t.Errorf("with status 4.0.0 it is %s", got.Kind)
	}
}
