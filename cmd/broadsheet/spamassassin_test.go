package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// maxSpamScore is what a mail of ours has to stay below: SpamAssassin marks mail from 5.0 on,
// and much of what adds to that, such as the sender's network, is not ours to decide.
const maxSpamScore = 1.0

// The digest and the confirmation mail, as the program hands them to a relay, look like spam
// to nobody: what costs points is mended in the templates. SpamAssassin looks up nothing.
func TestMail_SpamAssassinFindsNothing(t *testing.T) {
	t.Parallel()
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "BASE_URL=https://letters.example.org",
		"CONFIRM_FROM=Example News <hello@example.org>", anyPort)
	feed := newsroomtest.NewFeed(t)
	for i, headline := range []string{
		"Harbour opens a second gate after eleven years of argument", "Free ferries for islanders: who pays, and until when?",
		"The bank's offer to small lenders, explained", "“We tested it on ourselves first”: inside the fraud desk",
		"New chair for the harbour board", "Instant payments pass cheques for the first time",
	} {
		feed.Publish(headline, time.Now().Add(-time.Duration(i+1)*time.Hour))
	}
	p.run("newsletter", "create", "daily-news", "--name", "Daily News", "--from", "Daily News <news@example.org>",
		"--postal-address", "1 High Street, London", "--zone", "Europe/London", "--daily", "mon-fri 07:00",
		"--privacy-url", "https://www.example.org/privacy", "--legal-footer", "Registered in England, no. 01234567.")
	p.run("source", "add", feed.URL, "--newsletter", "daily-news")
	p.run("subscriber", "add", "vera@example.org", "--newsletter", "daily-news", "--consent", "By telephone")
	p.run("send", "daily-news", "--yes")

	_, _, address := p.serve()
	resp, err := http.PostForm(address+"/subscribe", url.Values{"newsletter": {"daily-news"}, "email": {"tom@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("the form answers %s", resp.Status)
	}
	newsroomtest.Until(t.Context(), t, "the confirmation mail is there", func() bool { return tookEach(relay)["tom@example.org"] == 1 })

	for _, m := range relay.Messages() {
		score, report := spamScore(t, m.Data)
		t.Logf("to %s: %.1f, %s", m.To, score, spamRules.Find(report))
		if score >= maxSpamScore {
			t.Errorf("the mail to %s scores %.1f:\n%s", m.To, score, report)
		}
	}
	if took := tookEach(relay); len(took) != 2 || took["vera@example.org"] != 1 {
		t.Errorf("the relay took %v", took)
	}

	// It would find something if there were something (its own test string).
	if score, _ := spamScore(t, []byte("Subject: x\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n")); score < 100 {
		t.Errorf("its own test mail scores %.1f: it has no rules", score)
	}
}

var (
	spamHeader = regexp.MustCompile(`(?m)^X-Spam-Status: (?:Yes|No), score=(-?[0-9.]+)`)
	spamRules  = regexp.MustCompile(`tests=[A-Z0-9_,\s]*`)
)

// spamScore returns what SpamAssassin makes of a message as a relay near us would pass it on,
// without asking the network, and its report.
func spamScore(t *testing.T, message []byte) (float64, []byte) {
	t.Helper()
	home := t.TempDir() // it learns nothing, and nobody's own settings count
	cmd := exec.CommandContext(t.Context(), "spamassassin", "--local", "--test-mode", "--prefspath="+home+"/user_prefs",
		"--cf=use_bayes 0", "--cf=use_auto_welcomelist 0", "--cf=use_auto_whitelist 0")
	cmd.Env = append(cmd.Environ(), "HOME="+home)
	cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n")))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("spamassassin (\".ci/install-test-needs\" installs it): %v\n%s", err, stderr.Bytes())
	}
	found := spamHeader.FindSubmatch(out)
	if found == nil {
		t.Fatalf("spamassassin says no score:\n%s\n%s", out, stderr.Bytes())
	}
	score, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return score, out
}
