package main

import (
	"strconv"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func newEditionCommand(a *app) *cobra.Command {
	return newGroup("edition", "Show editions and what became of every message",
		`An edition is one issue of a newsletter for a slot, or an extra one. Its ledger has a row
for every reader; every row is in exactly one state, so that

  planned = accepted + refused + expired + in doubt + withheld + waiting

docs/delivery.md says what each state means and what to do about it.`, groupThings,
		editionDraft(a), editionEdit(a), editionRefresh(a), editionSponsor(a), editionFreeze(a), editionApprove(a), editionHold(a), editionLog(a), editionList(a), editionShow(a), editionReport(a), editionDeliveries(a), editionWatch(a),
		editionPause(a), editionResume(a), editionCancel(a), editionRetry(a), editionResolve(a), editionWhy(a))
}

type editionView struct {
	ledgerView
	Date       string         `json:"date"`
	Slot       string         `json:"slot"`
	ForSlot    string         `json:"for_slot"` // whose edition it is: main, another slot, or all of the cadence
	Reason     string         `json:"reason"`
	Subject    string         `json:"subject"`
	DueAt      *time.Time     `json:"due_at"`
	AsOf       *time.Time     `json:"as_of"`
	StartedAt  *time.Time     `json:"started_at"`
	FinishedAt *time.Time     `json:"finished_at"`
	ExpiresAt  *time.Time     `json:"expires_at"`
	SendAt     *time.Time     `json:"send_at"` // when it is planned and sent; null: at once
	Doubted    int            `json:"doubted"`
	Reasons    map[string]int `json:"withheld_reasons"`
	WarmUp     string         `json:"warm_up"` // "500/day x1.5"; empty: it has none
	GoesOn     *time.Time     `json:"goes_on,omitempty"`
	canary     string         // how far it is; empty: it has none, or that is over
}

func viewEdition(e newsletter.Edition, t newsletter.Tally) editionView {
	return editionView{
		ledgerView: viewLedger(e, t), Date: e.Date.String(), Slot: e.Slot, ForSlot: e.Audience(), Reason: e.Reason, Subject: e.Subject,
		DueAt: utc(e.DueAt), AsOf: utc(e.AsOf), StartedAt: utc(e.StartedAt), FinishedAt: utc(e.FinishedAt), ExpiresAt: utc(e.ExpiresAt), SendAt: utc(e.SendAt),
		Doubted: t.Doubted, Reasons: t.Reasons, WarmUp: e.WarmUp.String(),
	}
}

func editionID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id < 1 {
		return 0, newsletter.Invalidf("edition", "%q is not the number of an edition; \"broadsheet edition list\" shows them", arg)
	}
	return id, nil
}
