package main

import (
	"context"
	"fmt"
	"strings"
)

// askDrop asks whether slots are to be dropped that readers chose; nothing is asked if none did.
// It returns how many did.
func (a *app) askDrop(ctx context.Context, s *services, slug string, drop []string, yes bool) (readers int, goOn bool, err error) {
	readers, err = s.desk.DroppedReaders(ctx, slug, drop)
	if err != nil || readers == 0 {
		return 0, err == nil, err
	}
	names := strings.Join(drop, ", ")
	question := fmt.Sprintf("%s chosen %s. Drop it, and give them the main slot?", counted(readers, "reader has", "readers have"), names)
	goOn, err = a.ask(ctx, yes, question, fmt.Sprintf("drop %s, which %s chosen", names, counted(readers, "reader has", "readers have")))
	if err == nil && !goOn {
		a.say("Nothing was changed.")
	}
	return readers, goOn, err
}
