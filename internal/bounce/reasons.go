package bounce

import (
	"regexp"
	"strings"
)

// A rule says for which reason systems use these words. The words are looked for in lower
// case, without addresses, links and the codes of continued replies; see words.
type rule struct {
	reason string
	words  *regexp.Regexp
}

// The rules, in the order in which they count: what is said of the mailbox's state, of the
// sender and of the message comes before "user unknown", as systems that refuse for another
// reason add such words.
var rules = []rule{
	{ReasonRelayList, oneOf(`on the suppression list for your account`)},
	{ReasonMailboxFull, oneOf(
		`mail ?box (?:is |was )?(?:full|exceed)`, `(?:inbox|mailfolder|mail folder|account|maildir|mail ?drop) (?:is )?(?:over ?)?full`, `over ?quota`,
		`quota (?:exceeded|violation|reached|full|exhausted)`, `exceed(?:s|ed|ing)?(?: (?:the|their|its|his|her|your|storage|disk|mailbox|allocated|maximum|user|mail))* quota`,
		`exceeded (?:the |its |their )?(?:local |storage |mailbox |disk )+(?:limit|space|allocation|allotment|capacity)`, `recipient'?s? mailbox exceed`,
		`(?:not enough|insufficient|out of|no) (?:disk |storage |mailbox )*(?:space|storage)\b`, `(?:storage|mailbox) (?:space|limit|quota|allocation) (?:exceeded|reached|is full)`, `full mailbox`,
		`mailbox (?:size )?(?:limit|has (?:reached|exceeded)|over)`, `would exceed (?:the )?mailbox`, `too much mail data`, `too many messages (?:in|on) (?:this|the) (?:mailbox|account)`,
		`bo[iî]te (?:aux lettres |de r[ée]ception )?(?:du destinataire )?(?:est )?pleine`, `postfach (?:ist )?(?:voll|überfüllt)`, `buz[oó]n (?:est[aá] )?lleno`, `casella (?:di posta )?(?:è )?piena`,
		`caixa (?:postal |de (?:correio|entrada) )?(?:est[aá] )?cheia`, `ящик переполнен`, `容量`)},
	{ReasonSuspended, oneOf(
		`(?:account|mailbox|user|recipient|address|customer)(?:\(s\))?(?: account)?(?: that you tried to reach)?(?: has been| is| was| are|:)?(?: currently| temporarily)? (?:disabled|inactive|suspended|locked|frozen|deactivated|not active|blocked)`,
		`(?:disabled|inactive|suspended|locked|deactivated|blocked) (?:account|mailbox|user|recipient)`, `no longer (?:active|accepts? (?:mail|messages))`, `temporarily (?:disabled|inactive|unavailable)`, `account is not active`)},
	{ReasonTooBig, oneOf(`(?:too|to) (?:large|big|long)\b`, `message (?:size|length|file)[a-z ]* (?:exceed|limit|too)`, `(?:size|length|line) limit`, `exceed(?:s|ed)? (?:the )?(?:maximum |max )?(?:allowed |fixed |message |system )*(?:message )?size`,
		`maximum (?:allowed )?(?:message )?size`, `max message size`, `exceeds (?:the )?size`)},
	{ReasonRateLimited, oneOf(`too many (?:connections|concurrent|recipients|sessions|errors|messages|emails|mails|invalid)`, `rate[ -]?limit`, `throttl`, `frequency limit`, `sending (?:limit|quota|rate)`, `too fast`, `too quickly`, `(?:hourly|daily|connection) limit`, `exceeded (?:the )?(?:maximum |allowed )*(?:rate|number of)`)},
	{ReasonAuthFailed, oneOf(`\bspf\b`, `\bdkim\b`, `\bdmarc\b`, `un-?authenticated`, `not (?:been )?authenticated`, `authentication`, `must authenticate`, `sender policy framework`, `sender id\b`)},
	{ReasonVirus, oneOf(`virus`, `malware`, `infected`, `\bphish`, `trojan`)},
	{ReasonSpam, oneOf(`spam`, `junk ?mail`, `bulk mail`, `\bub?ce\b`, `\bube\b`, `unsolicited`, `blacklisted (?:url|link)`, `\bs?uribl\b`, `(?:message|mail|content)s? (?:content )?(?:was |has been )?rejected`)},
	{ReasonBlocked, oneOf(`\bblock(?:ed|list|ing)?\b`, `block(?:ed)? list`, `black ?-?list`, `deny ?-?list`, `\bbanned\b`, `\brbl`, `dnsbl`, `reputation`, `reverse dns`, `\brdns\b`, `\bptr\b`, `\bfcrdns\b`, `invalid ip`, `client host rejected`,
		`refused to talk`, `dynamic (?:ip|address)`, `listed (?:in|by|at|on)\b.*(?:list|bl\b)`, `client ip`, `(?:connection|connections|access|host|server|ip|session)(?: from [^ ]+)?(?: is| was| are)? (?:rejected|refused by|not (?:accepted|allowed|welcome))`, `service refuse`, `\bhelo\b`, `your (?:ip|host|server|network)`, `sending (?:ip|host|server)`)},
	{ReasonRelayDenied, oneOf(`relay(?:ing)? (?:access )?(?:is |was )?(?:denied|not|prohibited|refused|rejected)`, `(?:not|no|cannot|unable to|won'?t|don'?t|refuse[sd]? to|permitted to|allowed to) relay`, `open relay`, `rcpthosts`, `local relay`)},
	{ReasonRejected, oneOf(`sender(?:'?s)? (?:address |domain |email |e-mail )?(?:is |was |has been )?(?:rejected|denied|refused|not|invalid|unknown|blocked|verif)`, `(?:bad|invalid|unknown|unverified|unresolvable|blocked) (?:sender|return|reverse)`, `domain of sender`, `sender domain`,
		`(?:from|sender|return|reverse)[ -](?:address|path)`, `(?:permission|authorized|allowed|permitted) to (?:post|send|mail|email|submit)`, `not (?:a )?members?\b`, `only members`, `may not have permission`, `mail ?from[a-z ]* (?:refused|rejected|denied|not)`)},
	{ReasonMoved, oneOf(`(?:has|have) moved`, `no forwarding`, `no longer on (?:this )?server`, `address (?:has )?changed`, `user not local`, `not our customer`, `moved to`)},
	{ReasonMailboxDisabled, oneOf(`(?:permanently|been) (?:closed|deleted|terminated|removed|cancelled)`, `(?:account|mailbox) (?:is )?closed`, `disabled permanently`, `permanently (?:disabled|deactivated)`)},
	{ReasonNoMail, oneOf(`null ?mx`, `doesn'?t receive e?-?mail`, `does not receive e?-?mail`, `(?:host|domain|server|machine|site) (?:does not|doesn'?t|never) accepts? (?:any )?(?:e-?)?mail\s*(?:$|[.:;!)\]])`)},
	{ReasonHostUnknown, oneOf(`(?:host|domain)(?: or domain)?(?: name)?(?: is)? (?:unknown|not found|does not exist|doesn'?t exist|not exist)`, `(?:unknown|no such|invalid|illegal|non-?existent|bad destination) (?:mail )?(?:host|domain|system|server)`,
		`domain names? not found`, `un-?rout(?:e)?able`, `(?:name or service|host|domain) not known`, `nxdomain`, `(?:could ?n[o']t|cannot|unable to|can'?t) (?:find|resolve|route to) (?:any |a |the )?(?:host|domain|mail exchanger|mx|server)`, `no (?:mx|a record|dns)`)},
	{ReasonUserUnknown, oneOf(
		`(?:user|recipient|address|mailbox|account|addressee|subscriber|customer|userid)(?: name)?(?: address)?(?: is)?(?:[ :]| was)? ?(?:unknown|not found|not known|non-?existent|invalid|not listed|does not exist|doesn'?t exist|not exist|couldn'?t be found|could not be found|not recognized|not local)`,
		`(?:unknown|no such|invalid|non-?existent|bad|unrecognized|unreachable) (?:local |e-?mail |final |mail |delivery |destination )*(?:user|recipient|address|mailbox|account|addressee|person|local[ -]part|username)`,
		`no mailbox`, `requested action not taken: mailbox unavailable`, `(?:does not|doesn'?t|do not|don'?t) (?:exist|have (?:a|an)\b.{0,40}account)`, `not a (?:valid|known|local) (?:user|recipient|mailbox|address)`, `recipnotfound`, `not listed in .{0,40}(?:address book|directory)`, `unknown (?:to|at) this (?:system|site|server)`,
		`adresse .{0,40}(?:invalide|inconnue)`, `(?:utilisateur|destinataire|compte|adresse) (?:inconnue?|inexistante?|invalide)`, `(?:benutzer|empfänger|nutzer|adresse|adressat) (?:ist )?(?:unbekannt|nicht (?:gefunden|bekannt))`, `unbekannte[rn]? (?:benutzer|empfänger|nutzer|adresse)`,
		`(?:usuario|destinatario|direcci[oó]n|cuenta|buz[oó]n) (?:desconocid[oa]|no existe|inexistente|inv[aá]lid[oa])`, `(?:utente|destinatario|indirizzo|casella) (?:sconosciut[oa]|inesistente|non (?:esiste|trovat[oa]))`, `(?:usu[aá]rio|destinat[aá]rio) (?:desconhecido|inexistente|n[aã]o (?:existe|encontrado))`,
		`(?:gebruiker|geadresseerde) (?:onbekend|bestaat niet)`, `onbekende gebruiker`, `(?:пользователь|ящик|получатель|адрес) (?:не найден|не существует|неизвестен)`)},
	{ReasonExpired, oneOf(`expired`, `retry time`, `in (?:the )?queue (?:for )?too long`, `too long in`, `unable to deliver (?:message )?(?:in|after)`, `giv(?:ing|en) up`, `timeout exceeded`, `delivery time`)},
	{ReasonNetwork, oneOf(`connection (?:refused|reset|timed|lost|dropped|closed|failed)`, `timed? ?out`, `no route`, `\bloop`, `hop count`, `too many hops`, `(?:unable|could not|failed|cannot|able) to (?:connect|establish)`, `network`, `lost connection`, `name service`, `dns\b`, `reachable`, `mail exchanger`)},
	{ReasonContent, oneOf(`\brfc ?-?\d{3,4}`, `header`, `malformed`, `syntax`, `8-?bit`, `attachment`, `\bmime\b`, `charset`, `content`, `media error`, `compliant`, `bare (?:lf|cr|newline)`)},
	{ReasonFiltered, oneOf(`filter`, `recipient'?s? (?:e-?mail )?preferences`, `rejected by (?:the )?(?:recipient|user)`, `refuses? to accept`, `does not (?:want|accept)`)},
	{ReasonPolicy, oneOf(`policy`, `access denied`, `not (?:allowed|permitted|accepted)`, `prohibit`, `refused`, `denied`, `restrict`, `administrative`, `rejected`, `forbidden`)},
	{ReasonSystem, oneOf(`system error`, `internal error`, `unavailable`, `temporar`, `out of memory`, `resources`, `configuration`, `try again`, `later`, `local error`, `pipe to`, `no such file`, `cannot open`, `unable to open`, `protocol error`, `command (?:died|failed)`, `failure`)},
}

// oneOf returns an expression that matches any of these.
func oneOf(words ...string) *regexp.Regexp {
	return regexp.MustCompile(strings.Join(words, "|"))
}

// reasonIn returns the reason that the words of a text give; empty if they give none.
func reasonIn(text string) string {
	text = words(text)
	for _, r := range rules {
		if r.words.MatchString(text) {
			if r.reason == ReasonHostUnknown && forNow.MatchString(text) {
				return ReasonNetwork
			}
			return r.reason
		}
	}
	return ""
}

// forNow matches what makes an unknown host a trouble of the name service.
var forNow = regexp.MustCompile(`try again|temporar|later`)

// vague reports whether the words for the reason say less than a status does.
func vague(reason string) bool {
	switch reason {
	case ReasonExpired, ReasonNetwork, ReasonContent, ReasonPolicy, ReasonSystem:
		return true
	}
	return false
}

// own matches what systems say of their own users, in sentences that no other system gives as
// the text of a reply: such words are believed without a code.
var own = oneOf(`recipient name is not recognized`, `no mailbox here by that name`, `invalid final delivery userid`, `not listed in .{0,40}(?:address book|directory)`,
	`mailbox does not exist here`, `^unknown user:`, `no such user here`, `unrouteable address`)

func ownWords(text string) bool { return own.MatchString(words(text)) }

var (
	links     = regexp.MustCompile(`(?:https?|ftp)://[^\s>)\]]*`)
	mailboxes = regexp.MustCompile(`<?[^\s<>]+@[^\s<>]+>?`)
	names     = regexp.MustCompile(`\b(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]+\b`)
	continued = regexp.MustCompile(`\b[45]\d\d-(?:[45]\.\d{1,3}\.\d{1,3}\s?)?`)
	repeated  = regexp.MustCompile(`\b[45]\d\d [45]\.\d{1,3}\.\d{1,3} `)
)

// maxWords is how much of a text the rules look at, in octets: a reason stands at its beginning.
const maxWords = 8 << 10

// start returns the beginning of a text.
func start(text string) string { return text[:min(len(text), maxWords)] }

// words returns a text as the rules look at it: in lower case and one line, without the names
// that people have chosen, as an address may be called anything.
func words(text string) string {
	text = strings.ToLower(start(text))
	text = strings.NewReplacer("’", "'", "‘", "'").Replace(text)
	text = links.ReplaceAllString(text, " ")
	text = mailboxes.ReplaceAllString(text, " ")
	text = names.ReplaceAllString(text, " ")
	text = continued.ReplaceAllString(text, " ")
	text = repeated.ReplaceAllString(text, " ")
	return strings.Join(strings.Fields(text), " ")
}
