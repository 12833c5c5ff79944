package bounce

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"broadsheet/internal/newsletter"
)

// The messages in testdata are of our own invention, in the shapes that real systems send.
// Each line is: file, kind of the whole, and of each recipient the address, the kind, the
// reason, the code and the status.
const samples = `
arf_abuse                    complaint  | maud@reader.example complaint feedback 0
arf_auth_failure             other      | maud@reader.example other feedback 0
arf_fraud                    complaint  | maud@reader.example complaint feedback 0
arf_no_body                  complaint  | maud@reader.example complaint feedback 0
arf_not_spam                 other      | maud@reader.example other feedback 0
arf_opt_out                  other      | maud@reader.example other feedback 0
auto_old_field               auto_reply | otto@reader.example auto_reply vacation 0
auto_submitted               auto_reply | desk@reader.example auto_reply vacation 0
auto_vacation                auto_reply | maud@reader.example auto_reply vacation 0
dsn_base64                   hard       | maud@reader.example hard user_unknown 550 5.1.1
dsn_delayed                  soft       | maud@reader.example soft delayed 0 4.4.1
dsn_disabled                 soft       | maud@reader.example soft suspended 550 5.2.1
dsn_dmarc                    soft       | maud@reader.example soft auth_failed 550 5.7.26
dsn_edge_block               hard       | maud@reader.example hard user_unknown 550 5.4.1
dsn_forwarded                hard       | maud@reader.example hard user_unknown 550 5.1.1
dsn_full_says_the_text       soft       | maud@reader.example soft mailbox_full 550 5.1.1
dsn_global                   hard       | jörg@leser.example hard user_unknown 550 5.1.1
dsn_hollow                   soft       | maud@reader.example soft filtered 550
dsn_host_unknown             hard       | maud@nowhere.example hard host_unknown 0 5.4.4
dsn_host_unknown_for_now     soft       | maud@nowhere.example soft network 0 4.4.3
dsn_in_child                 hard       | maud@reader.example hard user_unknown 550 5.1.1
dsn_in_text                  hard       | maud@reader.example hard user_unknown 550 5.1.1
dsn_moved                    hard       | maud@reader.example hard moved 551 5.1.6
dsn_no_diagnostic            soft       | maud@reader.example soft unknown 0 5.0.0
dsn_null_mx                  hard       | maud@reader.example hard no_mail 0 5.1.10
dsn_relayed                  other      | maud@reader.example other delivered 250 2.1.5
dsn_sender_domain            soft       | maud@reader.example soft rejected 553 5.1.0
dsn_spam                     soft       | maud@reader.example soft spam 550 5.7.1
dsn_two_recipients           hard       | maud@reader.example hard user_unknown 550 5.1.1 | otto@reader.example soft mailbox_full 552 5.2.2
dsn_user_unknown             hard       | maud@reader.example hard user_unknown 550 5.1.1
dsn_user_unknown_after_data  soft       | maud@reader.example soft filtered 550 5.0.0
event_bounce                 hard       | maud@reader.example hard user_unknown 550 5.1.1
event_complaint              complaint  | maud@reader.example complaint feedback 0
junk_report                  complaint  | maud@reader.example complaint feedback 0
person_answers               other
receipt                      other
text_bare_words              soft       | maud@reader.example soft filtered 0
text_exchange                hard       | maud@reader.example hard user_unknown 0
text_exim                    hard       | maud@reader.example hard user_unknown 550
text_exim_after_data         soft       | maud@reader.example soft filtered 550
text_expired                 soft       | maud@reader.example soft expired 0
text_html                    hard       | maud@reader.example hard user_unknown 550 5.1.1
text_nothing_known           soft       | maud@reader.example soft unknown 0
text_qmail                   hard       | maud@reader.example hard user_unknown 550 5.1.1 | otto@reader.example soft mailbox_full 0
text_qmail_here              hard       | maud@reader.example hard user_unknown 0 5.1.1
text_sendmail                hard       | maud@reader.example hard user_unknown 550
text_still_trying            soft       | maud@reader.example soft delayed 0
text_yahoo_full              soft       | maud@reader.example soft mailbox_full 552 5.2.2
`

func TestRead_SaysWhatEachShapeMeans(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for row := range strings.Lines(strings.TrimSpace(samples)) {
		file, want, _ := strings.Cut(strings.TrimSpace(row), " ")
		named[file+".eml"] = true
		got, err := Read(bytes.NewReader(sample(t, file)))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if said, want := inOneLine(got), strings.Join(strings.Fields(want), " "); said != want {
			t.Errorf("%s\n is read as %s\n    and is %s", file, said, want)
		}
	}
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, f := range files {
		if !named[filepath.Base(f)] {
			t.Errorf("%s is not in the list", f)
		}
	}
}

func inOneLine(r Report) string {
	s := string(r.Kind)
	for _, x := range r.Recipients {
		s += strings.TrimRight(fmt.Sprintf(" | %s %s %s %d %s", x.Address, x.Kind, x.Reason, x.Code, x.Status), " ")
	}
	return s
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Mail comes with CRLF over SMTP and with LF through a pipe, and some of it out of a file of
// messages: it must not matter.
func TestRead_LineEndsDoNotMatter(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data := sample(t, strings.TrimSuffix(filepath.Base(f), ".eml"))
		plain, err := Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		network := bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		network = append([]byte("From MAILER-DAEMON Sun Nov 22 07:00:05 2026\r\n"), network...)
		again, err := Read(iotest.OneByteReader(bytes.NewReader(network)))
		if err != nil {
			t.Fatal(err)
		}
		if inOneLine(plain) != inOneLine(again) || !slices.Equal(plain.ReturnPaths, again.ReturnPaths) {
			t.Errorf("%s: with CRLF %s %v, with LF %s %v", f, inOneLine(again), again.ReturnPaths, inOneLine(plain), plain.ReturnPaths)
		}
	}
}

const returnPath = "b+aeaaaaaaaeaaaaaaaacqexample0000000000000000000@bounce.example.org"

// Whatever gives a message back, its return path stands somewhere.
func TestRead_FindsTheReturnPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"dsn_user_unknown", "dsn_forwarded", "dsn_global", "dsn_in_child", "dsn_in_text", "dsn_hollow",
		"arf_abuse", "arf_no_body", "junk_report", "text_qmail", "text_exim", "text_exchange", "text_html",
	} {
		report, err := Read(bytes.NewReader(sample(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(report.ReturnPaths, returnPath) {
			t.Errorf("%s: %v", name, report.ReturnPaths)
		}
	}
	report, err := Read(bytes.NewReader(sample(t, "text_qmail")))
	if err != nil || len(report.ReturnPaths) == 0 || report.ReturnPaths[0] != returnPath {
		t.Errorf("the returned message's own return path is not the first: %v %v", report.ReturnPaths, err)
	}
}

// Nothing that a message is called, and nothing in the message that was returned, is what the
// other system said.
func TestRead_NamesAndTheReturnedMessageSayNothing(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]newsletter.ReturnKind{
		"mailbox.full@reader.example":   newsletter.ReturnHard,
		"spam.blocked@quota.example":    newsletter.ReturnHard,
		"maud@policy.user-unknown.test": newsletter.ReturnHard,
	} {
		message := bytes.ReplaceAll(sample(t, "text_exim"), []byte("maud@reader.example"), []byte(address))
		report, err := Read(bytes.NewReader(message))
		if err != nil || report.Kind != want {
			t.Errorf("%s: %s, %v", address, inOneLine(report), err)
		}
	}
	message := bytes.ReplaceAll(sample(t, "text_nothing_known"), []byte("Words."), []byte("550 5.1.1 user unknown"))
	if report, err := Read(bytes.NewReader(message)); err != nil || report.Kind != newsletter.ReturnSoft {
		t.Errorf("%s, %v", inOneLine(report), err)
	}
}

func TestRead_TellsWhenItCannotRead(t *testing.T) {
	t.Parallel()
	broken := errors.New("the line is cut")
	if _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestRead_WhatNobodyUnderstandsIsOther(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "\x00\x01\x02", "no header at all", ":\n:\n\n", "Content-Type: multipart/mixed; boundary=\n\nx", "Subject: =?x?q?=\n\n=?"} {
		report, err := Read(strings.NewReader(text))
		if err != nil || report.Kind != newsletter.ReturnOther {
			t.Errorf("%q: %s, %v", text, inOneLine(report), err)
		}
	}
}
