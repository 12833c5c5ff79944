package bounce

import (
	"regexp"
	"slices"
	"strings"
)

// notice is what a message tells people, without the message that it returns.
type notice struct {
	lines []string
}

// copyBegins matches the line after which a text has the message that it returns.
var copyBegins = regexp.MustCompile(`(?i)^(?:[-=*\s]*(?:(?:this is|below is|below this line is|enclosed is|here is|following is|attached is) a copy of|(?:the )?(?:original|returned|undelivered|unsent|rejected) (?:message|mail|e-mail)(?: (?:follows|info|headers?|below|text|body)|\s*-|\s*$)|(?:the )?(?:header|headers|text|body|beginning) of (?:the|your) (?:original|returned)|(?:the )?(?:message )?headers? follows?)|received:|return-path:|[-*\s]*message (?:header|text)s? follows?|-+\s*original )`)

// newNotice returns the text for people, and what follows it of the message that was returned.
func newNotice(text string) (notice, string) {
	var n notice
	rows := strings.Split(text, "\n")
	for i, row := range rows {
		row = strings.TrimSpace(row)
		if quoted, ok := strings.CutPrefix(row, "> "); ok || row == ">" {
			row = strings.TrimSpace(quoted)
		}
		if copyBegins.MatchString(row) {
			if !strings.HasPrefix(strings.ToLower(row), "re") { // a field is the first of the copy
				i++
			}
			return n, strings.TrimLeft(strings.Join(rows[min(i, len(rows)):], "\n"), "\n \t")
		}
		n.lines = append(n.lines, row)
	}
	return n, ""
}

// text returns all of it.
func (n notice) text() string { return strings.Join(n.lines, "\n") }

const addr = `[^\s<>:;,"'()\[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?`

var (
	// beginsWithAddress matches a line that is about the address it begins with.
	beginsWithAddress = regexp.MustCompile(`^(?:>>>\s*|[45]\d\d[ -])?<?(` + addr + `)>?(?:\s*$|[:.;,\s\[(<])`)
	// codeAndAddress matches a line of a transcript that says all of an address.
	codeAndAddress = regexp.MustCompile(`^[45]\d\d <` + addr + `>\.\.\.`)
	// namedInSentence matches a sentence that says whom a message did not reach.
	namedInSentence = regexp.MustCompile(`(?i)(?:your (?:mail|message|e-?mail) to|undeliverable to|delivered to|deliver (?:the |your )?(?:mail|message|e-?mail) to|userid:|user:|rcpt to:|recipient(?: address)?:|rejected recipient|address:)\s*<?(` + addr + `)>?`)
	// toAddress matches the line that says whom the message was for.
	toAddress = regexp.MustCompile(`(?i)^(?:to|recipients?)\s*:\s*<?(` + addr + `)>?`)
)

// failures returns what the text says of each address: of those that are known, else of those
// that it names.
func (n notice) failures(known []string) []failure {
	addresses := known
	for _, pattern := range []*regexp.Regexp{beginsWithAddress, namedInSentence, toAddress} {
		if len(addresses) == 0 {
			addresses = n.find(pattern)
		}
	}
	var all []failure
	for _, a := range addresses {
		all = append(all, n.about(failure{address: a}, addresses))
	}
	return all
}

// find returns the addresses that a pattern finds, each of them once.
func (n notice) find(pattern *regexp.Regexp) []string {
	var found []string
	for _, row := range n.lines {
		for _, m := range pattern.FindAllStringSubmatch(row, maxRecipients) {
			a := bare(m[1])
			if len(found) < maxRecipients && !slices.ContainsFunc(found, func(f string) bool { return strings.EqualFold(f, a) }) {
				found = append(found, a)
			}
		}
	}
	return found
}

// about fills in what the text says of one of the addresses: the lines from where it stands
// first up to the next one that is about another.
func (n notice) about(f failure, addresses []string) failure {
	var mine []string
	current := ""
	for _, row := range n.lines {
		lower := strings.ToLower(row)
		for _, a := range addresses {
			if strings.Contains(lower, strings.ToLower(a)) {
				current = a
				if strings.EqualFold(a, f.address) {
					break
				}
			}
		}
		if current != "" && strings.EqualFold(current, f.address) {
			mine = append(mine, row)
		}
		if codeAndAddress.MatchString(row) {
			current = "" // what follows it is about another
		}
	}
	f.notice = strings.Join(mine, "\n")
	f.stage = n.stage(f, addresses)
	return f
}

// stage is what the other system was asked when it refused.
type stage int

const (
	stageUnknown stage = iota
	stageSender        // who we are: the connection, EHLO, MAIL
	stageRecipient
	stageData // the message itself
)

// stageWords are how systems say in words what they had asked.
var stageWords = []struct {
	stage stage
	words *regexp.Regexp
}{
	{stageSender, regexp.MustCompile(`(?i)(?:reply to|after|response to|following|like our|\[)\s*(?:mail[ _]from|(?:the )?mail command|ehlo|helo|initial (?:connection|greeting)|auth)\b|refused to talk to me`)},
	{stageRecipient, regexp.MustCompile(`(?i)(?:reply to|after|response to|following|like our|\[)\s*rcpt|not like recipient`)},
	{stageData, regexp.MustCompile(`(?i)(?:reply to|after|response to|following|like our|\[)\s*(?:(?:the )?end of data|data\b|(?:i sent )?the message)|(?:^|\n)smtp command\s+data\b`)},
}

var (
	asked    = regexp.MustCompile(`(?i)^>{3,4}\s*(mail|rcpt|data|ehlo|helo|rset|bdat|\.)`)
	answered = regexp.MustCompile(`^<<<\s*[45]\d\d`)
	dashes   = regexp.MustCompile(`[-=*]{2,}`)
)

// stage finds out at what the other system refused the address: from a transcript of the
// session, or from words.
func (n notice) stage(f failure, addresses []string) stage {
	at, said := "", stageUnknown
	for _, row := range n.lines {
		if m := asked.FindStringSubmatch(row); m != nil {
			at = strings.ToLower(m[1])
		} else if answered.MatchString(row) && said == stageUnknown &&
			(len(addresses) == 1 || strings.Contains(strings.ToLower(row), strings.ToLower(f.address))) {
			said = transcriptStage(at)
		}
	}
	text := f.notice
	if len(addresses) == 1 {
		text = n.text()
	}
	text = dashes.ReplaceAllString(text, "")
	for _, w := range stageWords {
		if said == stageUnknown && w.words.MatchString(text) {
			said = w.stage
		}
	}
	return said
}

func transcriptStage(command string) stage {
	switch command {
	case "mail", "ehlo", "helo":
		return stageSender
	case "rcpt":
		return stageRecipient
	case "data", "bdat", ".":
		return stageData
	}
	return stageUnknown
}
