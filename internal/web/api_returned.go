package web

import (
	"context"
	"time"
)

// returnJSON is what came back of a message.
type returnJSON struct {
	Return     int64     `json:"return"`
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"`
	Edition    int64     `json:"edition,omitempty"`
	Mail       int64     `json:"mail,omitempty"` // a confirmation mail
	Status     string    `json:"status"`
	Code       int       `json:"code"`
	Reason     string    `json:"reason"`
	Diagnostic string    `json:"diagnostic"`
	Address    string    `json:"address,omitempty"` // that the report names, if it is another one
	Channel    string    `json:"channel"`
	Effect     string    `json:"effect"`
}

// returnsOf returns what came back of messages to a subscriber.
func (a *app) returnsOf(ctx context.Context, subscriberID int64) ([]returnJSON, error) {
	list, err := a.Readers.Returns(ctx, subscriberID)
	shown := []returnJSON{}
	for _, r := range list {
		shown = append(shown, returnJSON{
			Return: r.ID, At: r.At.UTC(), Kind: string(r.Kind), Edition: r.EditionID, Mail: r.MailID, Status: r.Status, Code: r.Code,
			Reason: r.Reason, Diagnostic: r.Diagnostic, Address: r.Address, Channel: r.Channel, Effect: r.Effect,
		})
	}
	return shown, err
}
