package bounce

import (
	"regexp"
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"
)

// judge says what a failure means. Hard needs a reason that lies in the address, said by the
// system that would know, and nothing that speaks against it (S18): to take a full mailbox for
// a dead one loses a reader, while the other mistake costs a few more messages.
func judge(f failure) Recipient {
	said, kind := diagnostic(f)
	r := Recipient{Address: f.address, Diagnostic: line(said, maxDiagnostic)}
	r.Status, r.Code = enhancedIn(said), codeIn(said)
	if r.Status == "" {
		r.Status = enhancedIn(f.status)
	}
	if s := enhancedIn(f.notice); s != "" && enhancedIn(said) == "" && (r.Status == "" || generic(r.Status) && s[0] == r.Status[0]) {
		r.Status = s
	}
	if r.Code == 0 {
		r.Code = codeIn(f.notice)
	}
	if r.Diagnostic == "" {
		r.Diagnostic = line(f.notice, maxDiagnostic)
	}
	switch {
	case f.action == "delivered", f.action == "relayed", f.action == "expanded", f.action == "deliverable", f.action == "" && strings.HasPrefix(r.Status, "2."):
		r.Kind, r.Reason = newsletter.ReturnOther, ReasonDelivered
		return r
	case f.action == "delayed":
		r.Kind, r.Reason = newsletter.ReturnSoft, ReasonDelayed
		return r
	}
	r.Reason = reasonOf(f, r, said)
	r.Kind = newsletter.ReturnSoft
	if Hard(r.Reason) {
		if provable(f, r, said, kind) {
			r.Kind = newsletter.ReturnHard
		} else {
			r.Reason = softer(f, r)
		}
	}
	return r
}

// diagnostic returns what the other system said, and by what kind of protocol it was learnt:
// "smtp", "x-unix"; empty if the report does not say.
func diagnostic(f failure) (said, kind string) {
	before, rest, found := strings.Cut(f.diagnostic, ";")
	if kind = strings.ToLower(strings.TrimSpace(before)); found && !strings.Contains(kind, " ") {
		return strings.TrimSpace(rest), kind
	}
	return f.diagnostic, ""
}

// reasonOf returns why it failed: by what the other system said, by what the report tells
// people, and by the status, in this order.
func reasonOf(f failure, r Recipient, said string) string {
	byWords, byStatus := reasonIn(said), reasonOfStatus(r.Status)
	if codeIn(said) >= 500 && enhancedIn(said) == "" && Hard(byStatus) {
		byStatus = "" // our side has made it up from the code: Sendmail takes any 550 for 5.1.1
	}
	if byWords == "" {
		byWords = reasonIn(f.notice)
	}
	switch {
	case byWords == "":
		return or(byStatus, ReasonUnknown)
	case vague(byWords) && Hard(byStatus):
		return byStatus
	case r.Status == "5.4.1" && edgeBlock.MatchString(start(said+f.notice)):
		return ReasonUserUnknown
	case Hard(byWords):
		// Some systems say in the report for people what the other fields have wrong.
		for _, text := range []string{f.notice, f.told} {
			if told := reasonIn(text); told == ReasonMailboxFull || told == ReasonSuspended {
				return told
			}
		}
	}
	return byWords
}

// Hard reports whether a reason lies in the address, for good.
func Hard(reason string) bool {
	switch reason {
	case ReasonUserUnknown, ReasonHostUnknown, ReasonMailboxDisabled, ReasonMoved, ReasonNoMail:
		return true
	}
	return false
}

// temporary matches words by which a system says that its trouble will pass.
var temporary = regexp.MustCompile(`(?i)temporar(?:y|il)`)

// provable reports whether nothing speaks against that the address is bad for good.
func provable(f failure, r Recipient, said, kind string) bool {
	aboutAddress := strings.HasPrefix(r.Status, "5.1.") && r.Status != "5.1.7" && r.Status != "5.1.8"
	switch {
	case r.Status != "" && r.Status[0] != '5', strings.HasPrefix(f.status, "4."), r.Code != 0 && r.Code < 500:
		return false // it says itself that it is for the time being
	case temporary.MatchString(start(said)):
		return false // a look-up that failed is none that found nobody, whatever the code
	case f.stage == stageSender:
		return false // it knew nothing of the address yet
	case aboutAddress && !generic(r.Status):
		return true
	case f.stage == stageData:
		return false // it had accepted the address before
	case ambiguous.MatchString(start(said+f.notice)) && f.stage != stageRecipient:
		return false
	case r.Status == "5.4.1" && edgeBlock.MatchString(start(said+f.notice)):
		return true
	case r.Reason != ReasonUserUnknown:
		return true
	case r.Status == "5.2.1" && f.stage == stageRecipient:
		return true // a mailbox that is not there: many systems have no better code
	case strings.HasPrefix(r.Status, "5.2."), strings.HasPrefix(r.Status, "5.3."), strings.HasPrefix(r.Status, "5.6."):
		return false // the mailbox is there, and something else is wrong
	case f.machine && f.status == "":
		return false // a report without what every report must have
	case r.Code >= 500:
		// Was it said of the address, or of the message?
		return f.stage == stageRecipient || namesAddress(or(said, f.notice)) || ownWords(f.notice)
	}
	// Words without a code are believed of a system that knows its own users.
	return kind != "" && kind != "smtp" || ownWords(said+"\n"+f.notice)
}

// edgeBlock matches how Microsoft's directory-based edge blocking says that there is no such
// recipient, with status 5.4.1.
var edgeBlock = regexp.MustCompile(`(?is)recipient\s+address\s+rejected:\s+access\s+denied`)

// ambiguous matches the words of RFC 5321 §4.2.3 that stand for a mailbox that does not exist,
// for one that may not be reached, and for a refusal by policy.
var ambiguous = regexp.MustCompile(`(?is)requested\s+action\s+not\s+taken`)

// namesAddress reports whether the answer in the text names an address. An answer that names
// none may have been given to the message.
func namesAddress(text string) bool {
	text = start(text)
	at := codePattern.FindStringIndex(text)
	if at == nil {
		return false
	}
	return addressPattern.MatchString(text[at[0]:])
}

// softer returns the reason of a failure that looks hard and cannot be proved.
func softer(f failure, r Recipient) string {
	switch {
	case f.stage == stageSender:
		return ReasonRejected
	case r.Reason == ReasonHostUnknown:
		return ReasonNetwork
	}
	return ReasonFiltered
}

// generic reports whether a status only says that it failed (RFC 3463 §3.1).
func generic(status string) bool { return strings.HasSuffix(status, ".0.0") }

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

var (
	codePattern     = regexp.MustCompile(`(?:^|[\s:<(\["'=])([245]\d\d)(?:[\s:\-),;\]"']|$)`)
	enhancedPattern = regexp.MustCompile(`(?:^|[^\d.])([245]\.\d{1,3}\.\d{1,3})(?:[^\d.]|\.?$|\.\s)`)
)

// codeIn returns the first SMTP reply code in the text, a failure rather than a success; 0 if
// there is none.
func codeIn(text string) int {
	first := 0
	for _, m := range codePattern.FindAllStringSubmatch(start(text), 20) {
		code, _ := strconv.Atoi(m[1]) // three digits
		if code >= 400 {
			return code
		}
		if first == 0 {
			first = code
		}
	}
	return first
}

// enhancedIn returns the first enhanced status code in the text (RFC 3463), one that says
// something rather than one that does not; empty if there is none.
func enhancedIn(text string) string {
	first := ""
	for _, m := range enhancedPattern.FindAllStringSubmatch(start(text), 20) {
		if !generic(m[1]) {
			return m[1]
		}
		first = or(first, m[1])
	}
	return first
}

// reasonOfStatus returns what a status says where words say nothing; empty if it does not
// either (RFC 3463 §3, RFC 7505, RFC 7372).
func reasonOfStatus(status string) string {
	_, detail, _ := strings.Cut(status, ".")
	switch detail {
	case "1.1", "1.3":
		return ReasonUserUnknown
	case "1.2":
		return ReasonHostUnknown
	case "1.6":
		return ReasonMoved
	case "1.10":
		return ReasonNoMail
	case "1.7", "1.8":
		return ReasonRejected
	case "2.1":
		return ReasonSuspended
	case "2.2":
		return ReasonMailboxFull
	case "2.3", "3.4":
		return ReasonTooBig
	case "4.7":
		return ReasonExpired
	case "7.20", "7.21", "7.22", "7.23", "7.24", "7.26", "7.27":
		return ReasonAuthFailed
	case "7.25":
		return ReasonBlocked
	}
	subject, _, _ := strings.Cut(detail, ".")
	return map[string]string{"2": ReasonFiltered, "3": ReasonSystem, "4": ReasonNetwork, "5": ReasonSystem, "6": ReasonContent, "7": ReasonPolicy}[subject]
}
