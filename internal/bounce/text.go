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

// maxRows is how many lines of a text are looked at.
const maxRows = 2000

// newNotice returns the text for people, and what follows it of the message that was returned.
func newNotice(text string) (notice, string) {
	var n notice
	rows := strings.SplitN(text, "\n", maxRows)
	for i, row := range rows {
		if i == maxRows-1 { // all the rest in one
			break
		}
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

// failures returns one for each address that is known to have failed, else for each that the
// text names.
func (n notice) failures(known []string) []failure {
	addresses := known
	for _, pattern := range []*regexp.Regexp{beginsWithAddress, namedInSentence, toAddress} {
		if len(addresses) == 0 {
			addresses = n.find(pattern)
		}
	}
	all := make([]failure, len(addresses))
	for i, a := range addresses {
		all[i].address = a
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

// describe fills in what the text says of each address: the lines from where it stands first
// up to the next one that is about another.
func (n notice) describe(failures []failure) {
	lower := make([]string, len(failures))
	for i, f := range failures {
		lower[i] = strings.ToLower(f.address)
	}
	said := make([][]string, len(failures))
	current := -1
	for _, row := range n.lines {
		current = ownerOf(strings.ToLower(row), lower, current)
		if current < 0 {
			continue
		}
		said[current] = append(said[current], row)
		if codeAndAddress.MatchString(row) {
			current = -1 // what follows it is about another
		}
	}
	answers := n.answers()
	for i := range failures {
		failures[i].notice = strings.Join(said[i], "\n")
		if len(failures) == 1 {
			failures[i].stage = stageOf("", n.text(), answers)
		} else {
			failures[i].stage = stageOf(lower[i], failures[i].notice, answers)
		}
	}
}

// ownerOf returns which of the addresses a line is about; the current one if it names none, or
// that one too.
func ownerOf(row string, addresses []string, current int) int {
	if !strings.Contains(row, "@") || current >= 0 && strings.Contains(row, addresses[current]) {
		return current
	}
	for i, a := range addresses {
		if a != "" && strings.Contains(row, a) {
			return i
		}
	}
	return current
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

// answer is a refusal in the transcript of a session.
type answer struct {
	row   string // in lower case
	stage stage
}

// answers returns the refusals in the transcript, if the text has one.
func (n notice) answers() []answer {
	var all []answer
	at := ""
	for _, row := range n.lines {
		if !strings.HasPrefix(row, ">>>") && !strings.HasPrefix(row, "<<<") {
			continue
		}
		if m := asked.FindStringSubmatch(row); m != nil {
			at = strings.ToLower(m[1])
		} else if answered.MatchString(row) {
			all = append(all, answer{strings.ToLower(row), transcriptStage(at)})
		}
	}
	return all
}

// stageOf finds out at what the other system refused an address: from the transcript of the
// session, else from words. The address is in lower case; empty if there is no other.
func stageOf(address, text string, answers []answer) stage {
	for _, a := range answers {
		if a.stage != stageUnknown && strings.Contains(a.row, address) {
			return a.stage
		}
	}
	text = dashes.ReplaceAllString(start(text), "")
	for _, w := range stageWords {
		if w.words.MatchString(text) {
			return w.stage
		}
	}
	return stageUnknown
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
