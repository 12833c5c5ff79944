package bounce

import (
	"encoding/json"
	"strings"

	"broadsheet/internal/newsletter"
)

// event is what Amazon SES says of a message, in the text of a mail from SNS.
type event struct {
	Type     string `json:"notificationType"`
	Kind     string `json:"eventType"` // the same where events are published
	Message  string `json:"Message"`   // the event, where SNS sends it with its own fields
	Delivery struct {
		Recipients []string `json:"recipients"`
		Response   string   `json:"smtpResponse"`
	} `json:"delivery"`
	Complaint struct {
		Type       string           `json:"complaintFeedbackType"`
		Recipients []eventRecipient `json:"complainedRecipients"`
	} `json:"complaint"`
	Bounce struct {
		Recipients []eventRecipient `json:"bouncedRecipients"`
	} `json:"bounce"`
}

type eventRecipient struct {
	Address    string `json:"emailAddress"`
	Action     string `json:"action"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}

// readEvent returns the recipients of such a text; none if it is none.
func readEvent(text string) []Recipient {
	text = strings.TrimSpace(strings.ReplaceAll(text, "!\n ", "")) // sendmail breaks long lines so
	var e event
	if !strings.HasPrefix(text, "{") || decode(text, &e) != nil {
		return nil
	}
	if e.Message != "" && decode(e.Message, &e) != nil {
		return nil
	}
	var all []Recipient
	switch or(e.Type, e.Kind) {
	case "Complaint":
		h := header{{"feedback-type", or(e.Complaint.Type, "abuse")}}
		for _, r := range e.Complaint.Recipients {
			h = append(h, field{"original-rcpt-to", r.Address})
		}
		all = readARF(h, nil)
	case "Delivery":
		for _, a := range e.Delivery.Recipients {
			all = append(all, Recipient{
				Address: bare(a), Code: codeIn(e.Delivery.Response), Status: enhancedIn(e.Delivery.Response),
				Diagnostic: line(e.Delivery.Response, maxDiagnostic), Reason: ReasonDelivered, Kind: newsletter.ReturnOther,
			})
		}
	case "Bounce":
		for _, r := range e.Bounce.Recipients {
			all = append(all, judge(failure{address: bare(r.Address), action: strings.ToLower(r.Action), status: r.Status, diagnostic: r.Diagnostic, machine: true}))
		}
	}
	return all[:min(len(all), maxRecipients)]
}

// decode decodes the object that the text begins with.
func decode(text string, e *event) error { return json.NewDecoder(strings.NewReader(text)).Decode(e) }
