package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

type deliveryView struct {
	Edition    int64      `json:"edition"`
	Subscriber int64      `json:"subscriber"`
	Email      string     `json:"email"`
	State      string     `json:"state"`
	Reason     string     `json:"reason"`
	Attempts   int        `json:"attempts"`
	SentAgain  int        `json:"sent_again"` // how often because it was in doubt
	DoubtedAt  *time.Time `json:"doubted_at"`
	NextTry    *time.Time `json:"next_try"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Code       int        `json:"code"`
	Enhanced   string     `json:"enhanced_code"`
	Reply      string     `json:"reply"`
	Relay      string     `json:"relay"`
	UpdatedAt  *time.Time `json:"updated_at"`
	MessageID  string     `json:"message_id"`
	Returned   string     `json:"returned"` // what came back of it: "bounced", "complained"; empty: nothing
}

func viewDelivery(d newsletter.Delivery) deliveryView {
	v := deliveryView{
		Edition: d.EditionID, Subscriber: d.SubscriberID, Email: d.Email, State: d.State.String(), Reason: d.Reason,
		Attempts: d.Attempts, SentAgain: d.Doubts, DoubtedAt: utc(d.DoubtedAt), ExpiresAt: utc(d.ExpiresAt),
		Code: d.Code, Enhanced: d.Enhanced, Reply: d.Reply, Relay: d.Relay, UpdatedAt: utc(d.UpdatedAt), Returned: d.Returned.String(), MessageID: d.MessageID,
	}
	if d.State == newsletter.Waiting || d.State == newsletter.Deferred {
		v.NextTry = utc(d.NextTry)
	}
	return v
}

// deliveriesShown is how many rows a table has unless --limit says otherwise.
const deliveriesShown = 1000

func editionDeliveries(a *app) *cobra.Command {
	var f newsletter.DeliveryFilter
	var state, returned string
	var asCSV bool
	cmd := &cobra.Command{
		Use:   "deliveries ID",
		Short: "Show an edition's ledger, reader by reader",
		Long: `Shows the rows of an edition's ledger in order of the subscribers' ids. --doubted shows
those that were in doubt at some time: the final dot was sent and no answer came, so
nobody can know whether the message arrived; those that were sent again may have come
twice. --returned shows those that the relay accepted and that came back later.

A table has at most 1000 rows unless --limit says otherwise; --after goes on behind a
subscriber. --csv and --json print all rows unless --limit is given, however many there
are, with the Message-ID, by which a relay's log knows a message. In CSV a text that a
spreadsheet would take for a formula has a ' before it.`,
		Example: `  broadsheet edition deliveries 42 --state refused
  broadsheet edition deliveries 42 --domain example.org --code 550
  broadsheet edition deliveries 42 --doubted --json
  broadsheet edition deliveries 42 --returned complained
  broadsheet edition deliveries 42 --state accepted --article 7
  broadsheet edition deliveries 42 --csv > edition-42.csv`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if f.EditionID, err = editionID(args[0]); err != nil {
				return err
			}
			if err := checkDeliveryFilter(&f, state, returned); err != nil {
				return err
			}
			switch {
			case asCSV && a.json:
				return usagef("give --csv or --json, not both")
			case cmd.Flags().Changed("limit") && f.Limit < 1:
				return newsletter.Invalidf("limit", "has to be 1 or more")
			case !cmd.Flags().Changed("limit") && !asCSV && !a.json:
				f.Limit = deliveriesShown
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				switch {
				case asCSV:
					return a.printDeliveriesCSV(cmd, s, f)
				case a.json:
					return a.printDeliveriesJSON(cmd, s, f)
				}
				return a.printDeliveries(cmd, s, f)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&state, "state", "", "only in this state: waiting, sending, deferred, accepted, refused, expired, in_doubt or withheld")
	flags.BoolVar(&f.Doubted, "doubted", false, "only those that were in doubt at some time")
	flags.StringVar(&returned, "returned", "", "only those of which this came back later: bounced or complained")
	flags.StringVar(&f.Domain, "domain", "", "only addresses of this domain")
	flags.IntVar(&f.Code, "code", 0, "only those whose last reply has this SMTP code, such as 550")
	flags.Int64Var(&f.ArticleID, "article", 0, "only those whose message has this article")
	flags.Int64Var(&f.After, "after", 0, "only behind this subscriber")
	flags.IntVar(&f.Limit, "limit", 0, "at most so many (default 1000 in a table, else all)")
	flags.BoolVar(&asCSV, "csv", false, "print CSV with a header")
	return cmd
}

// checkDeliveryFilter completes the filter by what flags say.
func checkDeliveryFilter(f *newsletter.DeliveryFilter, state, returned string) error {
	var err error
	if state != "" {
		if f.State, err = newsletter.ParseState(state); err != nil {
			return err
		}
	}
	if returned != "" {
		if f.Returned, err = newsletter.ParseReturned(returned); err != nil {
			return err
		}
	}
	if err := checkCode(f.Code); err != nil {
		return err
	}
	if f.ArticleID < 0 {
		return newsletter.Invalidf("article", "has to be the number of an article")
	}
	if f.After < 0 {
		return newsletter.Invalidf("after", "has to be the number of a subscriber")
	}
	if f.Domain != "" {
		email, _, err := mail.ParseAddress("a@" + strings.TrimPrefix(f.Domain, "@"))
		if err != nil {
			return newsletter.Invalidf("domain", "%q is not a domain, such as example.org", f.Domain)
		}
		_, f.Domain, _ = strings.Cut(email, "@")
	}
	return nil
}

// checkCode returns an error unless the code is one of SMTP, or 0 for any.
func checkCode(code int) error {
	if code != 0 && (code < 200 || code > 599) {
		return newsletter.Invalidf("code", "%d is not an SMTP code, such as 550", code)
	}
	return nil
}

func (a *app) printDeliveries(cmd *cobra.Command, s *services, f newsletter.DeliveryFilter) error {
	rows, err := s.desk.Deliveries(cmd.Context(), f)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		a.say("There are no such deliveries.")
		return nil
	}
	var table [][]string
	for _, d := range rows {
		why := reasonWords(d.Reason)
		if d.Code > 0 {
			why = fmt.Sprintf("%d %s %s", d.Code, d.Enhanced, d.Reply)
		} else if d.Reply != "" {
			why = d.Reply
		}
		if d.Returned != newsletter.NothingReturned {
			why = d.Returned.String()
		}
		table = append(table, []string{fmt.Sprint(d.SubscriberID), d.Email, d.State.String(), fmt.Sprint(d.Attempts), fmt.Sprint(d.Doubts), local(d.UpdatedAt), cut(why, 70)})
	}
	a.printTable([]string{"SUBSCRIBER", "EMAIL", "STATE", "ATTEMPTS", "SENT AGAIN", "SINCE", "WHY"}, table)
	if len(rows) == f.Limit {
		a.say("There may be more: --after %d goes on.", rows[len(rows)-1].SubscriberID)
	}
	return nil
}

// printDeliveriesJSON prints an array without having all of it in memory.
func (a *app) printDeliveriesJSON(cmd *cobra.Command, s *services, f newsletter.DeliveryFilter) error {
	before := "[\n  "
	err := s.desk.EachDelivery(cmd.Context(), f, func(d newsletter.Delivery) error {
		var text strings.Builder
		e := json.NewEncoder(&text)
		e.SetIndent("  ", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(viewDelivery(d)); err != nil {
			return err
		}
		_, err := fmt.Fprint(a.stdout, before, strings.TrimRight(text.String(), "\n"))
		before = ",\n  "
		return err
	})
	if err != nil {
		return err
	}
	if before == "[\n  " {
		_, err = fmt.Fprintln(a.stdout, "[]")
		return err
	}
	_, err = fmt.Fprint(a.stdout, "\n]\n")
	return err
}

func (a *app) printDeliveriesCSV(cmd *cobra.Command, s *services, f newsletter.DeliveryFilter) error {
	w := csv.NewWriter(a.stdout)
	header := []string{"edition", "subscriber", "email", "state", "reason", "attempts", "sent_again", "doubted_at", "next_try", "expires_at",
		"code", "enhanced_code", "reply", "relay", "updated_at", "returned", "message_id"}
	written := false
	err := s.desk.EachDelivery(cmd.Context(), f, func(d newsletter.Delivery) error {
		if !written {
			if err := w.Write(header); err != nil {
				return err
			}
			written = true
		}
		v := viewDelivery(d)
		return w.Write([]string{
			strconv.FormatInt(v.Edition, 10), strconv.FormatInt(v.Subscriber, 10), noFormula(v.Email), v.State, v.Reason,
			strconv.Itoa(v.Attempts), strconv.Itoa(v.SentAgain), stamp(v.DoubtedAt), stamp(v.NextTry), stamp(v.ExpiresAt),
			strconv.Itoa(v.Code), noFormula(v.Enhanced), noFormula(v.Reply), noFormula(v.Relay), stamp(v.UpdatedAt), v.Returned, v.MessageID,
		})
	})
	if err == nil && !written {
		err = w.Write(header)
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return err
}

// noFormula keeps a spreadsheet from taking a stranger's text for a formula.
func noFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// stamp returns a time as CSV has it, empty if it has not happened.
func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}
