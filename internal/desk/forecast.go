package desk

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// forecastReaders is the least number of messages that a rate is measured with.
const forecastReaders = 100

// forecastDomains is how many domains a forecast names.
const forecastDomains = 10

// Forecast is what sending a draft would be like.
type Forecast struct {
	Domains  []newsletter.DomainReaders // of all readers of its slot, the largest ten
	Duration time.Duration              // zero: nobody can know yet
	From     string                     // from what the duration is known, or why it is not
}

// Forecast tells readers by domain, and how long the sending will take: by the rate of the last
// edition, the limit of messages a second (0: none), or the warm-up.
func (d *Desk) Forecast(ctx context.Context, draft *Draft, limit float64) (Forecast, error) {
	var f Forecast
	var err error
	f.Domains, err = d.o.Press.Store.ReaderDomains(ctx, draft.Newsletter.ID, draft.Edition.Cadence, draft.Edition.Audience(), forecastDomains, d.now())
	if err != nil {
		return f, err
	}
	readers := draft.Survey.Readers
	if days := draft.Edition.WarmUp.Days(readers); draft.Edition.WarmUp.PerDay > 0 && days > 1 {
		f.Duration, f.From = time.Duration(days-1)*24*time.Hour, "the warm-up "+draft.Edition.WarmUp.String()
		return f, nil
	}
	rate, edition, err := d.lastRate(ctx)
	switch {
	case err != nil:
		return f, err
	case limit > 0 && (rate == 0 || limit < rate):
		rate, f.From = limit, fmt.Sprintf("the limit of %g a second", limit)
	case rate > 0:
		f.From = fmt.Sprintf("edition %d, which was sent at %.0f a second", edition, rate)
	default:
		f.From = fmt.Sprintf("not known yet: no edition was sent to %d readers or more", forecastReaders)
		return f, nil
	}
	f.Duration = time.Duration(float64(readers) / rate * float64(time.Second))
	return f, nil
}

// lastRate returns the messages a second of the last edition that tells; 0: none does.
func (d *Desk) lastRate(ctx context.Context) (rate float64, edition int64, err error) {
	list, err := d.o.Press.Store.Editions(ctx, newsletter.EditionFilter{Limit: 30})
	if err != nil {
		return 0, 0, err
	}
	for _, e := range list {
		if e.State != newsletter.EditionSent || e.Planned < forecastReaders || e.Moves > 0 || e.WarmUp.PerDay > 0 {
			continue
		}
		report, err := d.o.Press.Store.Report(ctx, e.ID)
		if err != nil {
			return 0, 0, err
		}
		if rate := report.Rate(d.now()); report.Tally.Counts[newsletter.Accepted] >= forecastReaders && rate > 0 {
			return rate, e.ID, nil
		}
	}
	return 0, 0, nil
}
