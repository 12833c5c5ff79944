package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/bounce"
)

// snsMessage is what Amazon SNS posts: a notification, or the question whether we want them.
type snsMessage struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicARN         string `json:"TopicArn"`
	Subject          *string
	Message          string
	Timestamp        string
	Token            string
	SubscribeURL     string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// sesEvent is what Amazon SES publishes. What it says of the recipients is read by bounce, as
// it is when it comes by mail.
type sesEvent struct {
	NotificationType string          `json:"notificationType,omitempty"`
	EventType        string          `json:"eventType,omitempty"`
	Bounce           json.RawMessage `json:"bounce,omitempty"`
	Complaint        json.RawMessage `json:"complaint,omitempty"`
	Mail             struct {
		Source string `json:"source"` // the envelope sender that we gave
	} `json:"mail,omitzero"`
}

// hookSES takes what Amazon SES reports by way of SNS.
func (a *app) hookSES(c echo.Context) error {
	var m snsMessage
	if err := json.NewDecoder(c.Request().Body).Decode(&m); err != nil {
		return jsonError(err)
	}
	if !slices.Contains(a.Hooks.SESTopics, m.TopicARN) {
		return &statusError{http.StatusForbidden, "The topic is not among those of BROADSHEET_SES_TOPICS."}
	}
	ctx := c.Request().Context()
	if err := a.verifySNS(ctx, m); err != nil {
		return err
	}
	switch m.Type {
	case snsNotification:
		return a.takeSES(c, m)
	case snsSubscription:
		if err := a.subscribeSNS(ctx, m); err != nil {
			return err
		}
		a.Logger.Info("Amazon SNS now sends what comes back", "topic", m.TopicARN)
		return sendJSON(c, http.StatusOK, mimeJSON, hookAnswer{Status: "taken", Effect: "the subscription is confirmed"})
	default: // the end of a subscription
		a.Logger.Warn("Amazon SNS sends no more of what comes back: the subscription to the topic was ended", "topic", m.TopicARN)
		return sendJSON(c, http.StatusOK, mimeJSON, hookAnswer{Status: "ignored"})
	}
}

// takeSES takes a notification. SNS delivers some twice, and then hears that it is known.
func (a *app) takeSES(c echo.Context, m snsMessage) error {
	message, source, ok := m.report()
	if !ok {
		return sendJSON(c, http.StatusOK, mimeJSON, hookAnswer{Status: "ignored"})
	}
	taken, again, err := a.takeOnce(c, channelSES, m.TopicARN+" "+m.MessageID, func(ctx context.Context) (bounce.Taken, error) {
		return a.Hooks.Bounces.Take(ctx, bounce.Incoming{Message: message, To: []string{source}, Channel: channelSES})
	})
	if err != nil {
		return err
	}
	if again {
		taken = bounce.Taken{Known: true, Again: true}
	}
	return answerTaken(c, taken)
}

// report returns the notification as a message that bounce reads, and the envelope sender of
// the mail that it is about. ok is false if it tells of neither a bounce nor a complaint.
func (m *snsMessage) report() (message []byte, source string, ok bool) {
	var event sesEvent
	if json.Unmarshal([]byte(m.Message), &event) != nil { // such as that the topic works
		return nil, "", false
	}
	if event.Bounce == nil && event.Complaint == nil {
		return nil, "", false
	}
	source = event.Mail.Source
	event.Mail.Source = ""
	body, err := json.Marshal(event)
	if err != nil {
		return nil, "", false
	}
	return fmt.Appendf(nil, "Subject: Amazon SES\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n", body), source, true
}
