package readers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

const reader = "a@example.org"

// standing returns the reason that stands against an address, "" if none does.
func (w *world) standing(who string) newsletter.SuppressionReason {
	w.t.Helper()
	st, err := w.Standing(w.t.Context(), who)
	if err != nil {
		w.t.Fatal(err)
	}
	if st.Own.Reason != "" {
		return st.Own.Reason
	}
	return st.ByDomain.Reason
}

// staffOrigin is a member of staff with a note.
func staffOrigin(note string) newsletter.Origin {
	return newsletter.Origin{Channel: "staff", Actor: "cli:ada", Note: note}
}

// ways are what somebody can do who might thereby be mailed again, on every path of S26. Each
// is done to a reader who is subscribed and then suppressed, and says whether the reader has
// to be told no.
func ways() map[newsletter.LiftPath]func(w *world) error {
	return map[newsletter.LiftPath]func(w *world) error{
		newsletter.LiftBySignUp: func(w *world) error {
			w.signUp(reader)
			return nil
		},
		newsletter.LiftByConfirm: func(w *world) error {
			w.signUp(reader)
			sent := w.deliver()
			if len(sent) == 0 {
				return newsletter.Refusef("suppressed", "no mail")
			}
			_, err := w.Confirm(w.t.Context(), w.token(sent[0]), "en", newsletter.Origin{Channel: "link"})
			return err
		},
		newsletter.LiftByImport: func(w *world) error {
			res, err := w.Import(w.t.Context(), strings.NewReader("email\n"+reader+"\n"), readers.ImportOptions{Newsletter: "weekly", Consent: "shop"})
			if err == nil && res.Rejected == 1 {
				err = newsletter.Refusef("suppressed", "rejected")
			}
			return err
		},
		newsletter.LiftByAdd: func(w *world) error {
			_, err := w.Add(w.t.Context(), readers.Added{Email: reader, Newsletters: []string{"weekly"}}, staffOrigin("telephone"))
			return err
		},
		newsletter.LiftByUndo: func(w *world) error {
			_, err := w.UndoLeave(w.t.Context(), w.unsubscribeToken(w.subscriber(reader), w.daily, 3), newsletter.Origin{})
			return err
		},
		newsletter.LiftByManage: func(w *world) error {
			link := newsletter.Link{SubscriberID: w.subscriber(reader).ID, NewsletterID: w.daily.ID}
			_, err := w.ChangeSubscription(w.t.Context(), w.keys.Sign(newsletter.PurposeManage, link), readers.Change{Newsletter: "daily-news"}, newsletter.Origin{})
			if newsletter.KindOf(err) == newsletter.Conflict { // the reader has left
				err = newsletter.Refusef("suppressed", "%v", err)
			}
			return err
		},
		newsletter.LiftByList: func(w *world) error {
			_, err := w.ImportSuppressions(w.t.Context(), strings.NewReader(reader), readers.SuppressionImport{Reason: "soft_bounces"})
			return err
		},
		newsletter.LiftByStaff: func(w *world) error {
			_, err := w.LiftSuppression(w.t.Context(), reader, staffOrigin("she wrote to us"))
			return err
		},
	}
}

// What docs/suppression.md has as a table, way by way, with each reason and a whole domain.
func TestSuppression_WhatLiftsWhichWayByWay(t *testing.T) {
	t.Parallel()
	const domain = "the whole domain"
	for _, path := range newsletter.LiftPaths() {
		for _, reason := range append(newsletter.SuppressionReasons(), "of a newer version", domain) {
			t.Run(string(path)+"/"+string(reason), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.join(reader)
				w.wait(2 * time.Hour)
				w.leave(reader) // the undo needs it, and the sign-up is about something then
				w.wait(time.Minute)
				lifts := reason.LiftedBy(path) != newsletter.LiftsNot
				if reason == domain {
					w.suppressDomain("example.org")
					lifts = false // of one address, staff cannot lift it either
				} else {
					w.exec(`INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, $2, $3)`, w.supp.Hash(reader), string(reason), w.clock().UnixMilli())
				}
				err := ways()[path](w)
				if got := w.standing(reader); (got == "") != lifts {
					t.Errorf("now %q stands (%v)", got, err)
				}
				quiet := path == newsletter.LiftBySignUp || path == newsletter.LiftByList // they tell nobody anything (S27), or have nothing to tell
				if wantErr := !lifts && !quiet; (err != nil) != wantErr {
					t.Errorf("error %v", err)
				}
				active := lifts && path == newsletter.LiftByConfirm
				if got := w.states(reader); got != "daily-news:left" && !active || active && got != "daily-news:active" {
					t.Errorf("%s", got)
				}
			})
		}
	}
}

// The one click of a mail program lifts nothing either, and is never refused.
func TestSuppression_OneClickStillLeaves(t *testing.T) {
	t.Parallel()
	for _, reason := range newsletter.SuppressionReasons() {
		w := newWorld(t)
		w.join(reader)
		w.suppress(reader, reason)
		w.leave(reader)
		if got := w.standing(reader); got != reason {
			t.Errorf("%s became %q", reason, got)
		}
	}
}

// An undo would leave somebody waiting for mail that never comes.
func TestUndoLeave_OfASuppressedAddressIsNotOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join(reader)
	token := w.leave(reader)
	w.suppress(reader, newsletter.SuppressedComplaint)
	_, err := w.UndoLeave(t.Context(), token, newsletter.Origin{})
	wantKind(t, err, newsletter.Forbidden, "suppressed")
	if l, err := w.Leaving(t.Context(), token); err != nil || l.CanUndo {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := w.LiftSuppression(t.Context(), reader, staffOrigin("a slip")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UndoLeave(t.Context(), token, newsletter.Origin{}); err != nil || w.states(reader) != "daily-news:active" {
		t.Errorf("after it was lifted: %v", err)
	}
}

// Fresh, confirmed consent counts: a mail that went out before the suppression does not use
// up the one that a suppressed address gets.
func TestSuppression_AMailFromBeforeItDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join(reader)
	w.wait(24 * time.Hour)
	w.exec(`INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, 'soft_bounces', $2)`, w.supp.Hash(reader), w.clock().UnixMilli())
	w.wait(24 * time.Hour)
	w.signUp(reader)
	sent := w.deliver()
	if len(sent) != 1 {
		t.Fatalf("%d mails", len(sent))
	}
	w.wait(24 * time.Hour)
	w.signUp(reader)
	if more := w.deliver(); len(more) != 0 {
		t.Error("a second mail within 30 days")
	}
	w.confirm(w.token(sent[0]))
	if got := w.standing(reader); got != "" {
		t.Errorf("%q stands after the confirmation", got)
	}
}

// Whoever was told to look for a mail that cannot be sent is not forgotten: staff see it, and
// when they lift the suppression the mail goes out.
func TestSuppression_ASignUpThatWaitsIsSeenAndAnswered(t *testing.T) {
	t.Parallel()
	for _, reason := range []newsletter.SuppressionReason{newsletter.SuppressedComplaint, newsletter.SuppressedStaff, newsletter.SuppressedHardBounce} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ctx := t.Context()
			w.suppress(reader, reason)
			w.signUp(reader)
			w.deliver() // of a bounced address this is the one in thirty days
			w.wait(3 * 24 * time.Hour)
			w.signUp(reader, "daily-news", "weekly")
			if sent := w.deliver(); len(sent) != 0 {
				t.Fatal("a mail was sent")
			}
			w.wait(8 * 24 * time.Hour) // its token would have expired
			waiting, ok, err := w.Waiting(ctx, w.subscriber(reader))
			if err != nil || !ok || fmt.Sprint(waiting.Newsletters) != "[daily-news weekly]" ||
				!strings.Contains(waiting.Why, "suppressed ("+string(reason)+")") || !strings.Contains(waiting.Why, `"broadsheet suppression remove a@example.org`) {
				t.Fatalf("%+v, %v, %v", waiting, ok, err)
			}
			lifted, err := w.LiftSuppression(ctx, reader, staffOrigin("she rang"))
			if err != nil || !lifted.MailQueued || !lifted.MailAt.Equal(w.clock()) {
				t.Fatalf("%+v, %v", lifted, err)
			}
			sent := w.deliver()
			if len(sent) != 1 {
				t.Fatalf("%d mails", len(sent))
			}
			if waiting, ok, err = w.Waiting(ctx, w.subscriber(reader)); err != nil || !ok || !strings.Contains(waiting.Why, "has not been answered") {
				t.Errorf("%+v, %v, %v", waiting, ok, err)
			}
			w.confirm(w.token(sent[0]))
			if got := w.states(reader); got != "daily-news:active weekly:active" {
				t.Error(got)
			}
			if _, ok, err := w.Waiting(ctx, w.subscriber(reader)); ok || err != nil {
				t.Error("it waits still", err)
			}
			st, err := w.Standing(ctx, reader)
			if err != nil || st.Suppressed() || len(st.Events) != 1 || st.Events[0].Note != "she rang" || st.Events[0].Actor != "cli:ada" {
				t.Errorf("%+v, %v", st, err)
			}
		})
	}
}

func TestSuppression_LiftingQueuesNothingWhereNobodyWaits(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(w *world){
		"no sign-up":         func(*world) {},
		"confirmed":          func(w *world) { w.join(reader) },
		"left since":         func(w *world) { w.signUp(reader); w.wait(time.Hour); w.removeAll(reader) },
		"long ago":           func(w *world) { w.suppress(reader, "complaint"); w.signUp(reader); w.wait(31 * 24 * time.Hour) },
		"its mail went out":  func(w *world) { w.signUp(reader); w.deliver() },
		"the domain remains": func(w *world) { w.suppressDomain("example.org"); w.signUp(reader) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			before(w)
			w.deliver()
			w.wait(2 * time.Hour)
			if w.standing(reader) != newsletter.SuppressedComplaint {
				w.suppress(reader, newsletter.SuppressedComplaint)
			}
			lifted, err := w.LiftSuppression(t.Context(), reader, staffOrigin("x"))
			if err != nil || lifted.MailQueued {
				t.Errorf("%+v, %v", lifted, err)
			}
			if sent := w.deliver(); len(sent) != 0 {
				t.Errorf("%d mails", len(sent))
			}
		})
	}
}

func (w *world) removeAll(email string) {
	if _, err := w.Remove(w.t.Context(), email, "", staffOrigin("")); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) suppressDomain(domain string) {
	w.t.Helper()
	if _, _, err := w.Suppress(w.t.Context(), "@"+domain, "", staffOrigin("")); err != nil {
		w.t.Fatal(err)
	}
}

// A mail that was withheld because of the suppression is sent when that is lifted.
func TestSuppression_AWithheldConfirmationGoesOutLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp(reader)
	w.suppress(reader, newsletter.SuppressedComplaint)
	if sent := w.deliver(); len(sent) != 0 {
		t.Fatal("a mail was sent")
	}
	lifted, err := w.LiftSuppression(t.Context(), reader, staffOrigin("x"))
	if err != nil || !lifted.MailQueued {
		t.Fatalf("%+v, %v", lifted, err)
	}
	w.confirm(w.token(w.deliver()[0]))
}

func TestSuppress_AWholeDomainIsExactlyThat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	st, added, err := w.Suppress(ctx, " @BÜCHER.example ", "", staffOrigin("asked"))
	if err != nil || !added || st.Target != "@xn--bcher-kva.example" || st.Own.Domain != "xn--bcher-kva.example" || st.Own.Note != "asked" || st.Own.Actor != "cli:ada" {
		t.Fatalf("%+v, %v, %v", st, added, err)
	}
	for who, want := range map[string]newsletter.SuppressionReason{
		"Vera@Bücher.example": newsletter.SuppressedStaff, "otto@xn--bcher-kva.example": newsletter.SuppressedStaff,
		"@bücher.example": newsletter.SuppressedStaff, "otto@sub.bücher.example": "", "otto@notbücher.example": "", "@example": "",
	} {
		if who == "@example" {
			_, err := w.Standing(ctx, who)
			wantKind(t, err, newsletter.Invalid, "")
			continue
		}
		if got := w.standing(who); got != want {
			t.Errorf("%s: %q", who, got)
		}
	}
	_, err = w.LiftSuppression(ctx, "vera@bücher.example", staffOrigin("x"))
	wantKind(t, err, newsletter.NotFound, "")
	if !strings.Contains(err.Error(), "@xn--bcher-kva.example") {
		t.Error(err)
	}
	_, err = w.LiftSuppression(ctx, "@bücher.example", staffOrigin(""))
	wantKind(t, err, newsletter.Invalid, "")
	if _, err = w.LiftSuppression(ctx, fmt.Sprint(st.Own.ID), staffOrigin("ticket 5")); err != nil {
		t.Error(err)
	}
	for who, reason := range map[string]string{"nobody": "", "@": "", "@x": "", "a@example.org": "because", "@example.org": "complaint"} {
		_, _, err := w.Suppress(ctx, who, reason, staffOrigin(""))
		wantKind(t, err, newsletter.Invalid, "")
	}
}

func TestSuppress_SaysWhetherItChangedAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, c := range []struct {
		reason string
		added  bool
		stands newsletter.SuppressionReason
	}{{"hard_bounce", true, "hard_bounce"}, {"soft_bounces", false, "hard_bounce"}, {"", true, "staff"}, {"staff", false, "staff"}, {"complaint", true, "complaint"}} {
		st, added, err := w.Suppress(t.Context(), "A@Example.org", c.reason, staffOrigin(""))
		if err != nil || added != c.added || st.Own.Reason != c.stands || w.standing(reader) != c.stands {
			t.Errorf("%d: %+v, %v, %v", i, st, added, err)
		}
	}
}
