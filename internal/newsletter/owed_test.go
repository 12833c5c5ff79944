package newsletter_test

import (
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

var monday = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return monday.Add(-d) }

const day = 24 * time.Hour

func TestOwed_TheRule(t *testing.T) {
	t.Parallel()
	fresh := newsletter.Article{ID: 1, FirstSeen: ago(day), OwedFrom: ago(day)}
	with := func(change func(*newsletter.Article)) newsletter.Article {
		a := fresh
		change(&a)
		return a
	}
	seen := func(d time.Duration) newsletter.Article {
		return with(func(a *newsletter.Article) { a.FirstSeen, a.OwedFrom = ago(d), ago(d) })
	}
	had := func(here bool, repeatsFrom time.Time) newsletter.Reader {
		return newsletter.Reader{
			Had: func(int64) bool { return true }, HadHere: func(int64) bool { return here }, RepeatsFrom: repeatsFrom,
		}
	}
	for name, test := range map[string]struct {
		article  newsletter.Article
		sections newsletter.Mask
		attached time.Time
		reader   newsletter.Reader
		want     newsletter.Verdict
	}{
		"new":                              {article: fresh, want: newsletter.Taken},
		"Friday's after the edition":       {article: seen(3*day - time.Minute), reader: newsletter.Reader{LastGot: ago(3 * day)}, want: newsletter.Taken},
		"six days of holidays":             {article: seen(6 * day), want: newsletter.Taken},
		"older than the look-back":         {article: seen(8 * day), want: newsletter.TooOld},
		"pause of twenty days":             {article: seen(15 * day), reader: newsletter.Reader{LastGot: ago(20 * day)}, want: newsletter.Taken},
		"pause of forty days":              {article: seen(31 * day), reader: newsletter.Reader{LastGot: ago(40 * day)}, want: newsletter.TooOld},
		"a week before the last got":       {article: seen(26 * day), reader: newsletter.Reader{LastGot: ago(20 * day)}, want: newsletter.Taken},
		"before that":                      {article: seen(28 * day), reader: newsletter.Reader{LastGot: ago(20 * day)}, want: newsletter.TooOld},
		"left over from the week before":   {article: seen(14*day - time.Minute), reader: newsletter.Reader{LastGot: ago(7 * day)}, want: newsletter.Taken},
		"nothing yet, joined long ago":     {article: seen(12 * day), reader: newsletter.Reader{JoinedAt: ago(20 * day)}, want: newsletter.Taken},
		"nothing yet, just joined":         {article: seen(6 * day), reader: newsletter.Reader{JoinedAt: ago(day)}, want: newsletter.Taken},
		"a fortnightly's first digest":     {article: seen(13 * day), reader: newsletter.Reader{JoinedAfter: ago(14 * day), JoinedAt: ago(12 * day)}, want: newsletter.Taken},
		"the last one got too long ago":    {article: seen(20 * day), reader: newsletter.Reader{JoinedAt: ago(90 * day)}, want: newsletter.Taken},
		"had":                              {article: fresh, reader: newsletter.Reader{Had: func(int64) bool { return true }}, want: newsletter.HadAlready},
		"had elsewhere, repeated":          {article: seen(2 * day), reader: had(false, ago(7*day)), want: newsletter.Repeated},
		"had here, not repeated":           {article: seen(2 * day), reader: had(true, ago(7*day)), want: newsletter.HadAlready},
		"had elsewhere, too long ago":      {article: seen(2 * day), reader: had(false, ago(2*day)), want: newsletter.HadAlready},
		"missed in a pause, to catch up":   {article: seen(5 * day), reader: newsletter.Reader{ResumedAt: ago(day)}, want: newsletter.Taken},
		"missed in a pause, caught up":     {article: seen(5 * day), reader: newsletter.Reader{ResumedAt: ago(2 * day), CaughtUp: true}, want: newsletter.MissedPaused},
		"left from before a pause":         {article: seen(5 * day), reader: newsletter.Reader{PausedAt: ago(4 * day), ResumedAt: ago(2 * day), CaughtUp: true}, want: newsletter.Taken},
		"missed since a pause began":       {article: seen(3 * day), reader: newsletter.Reader{PausedAt: ago(4 * day), ResumedAt: ago(2 * day), CaughtUp: true}, want: newsletter.MissedPaused},
		"after a pause":                    {article: seen(day), reader: newsletter.Reader{ResumedAt: ago(2 * day), CaughtUp: true}, want: newsletter.Taken},
		"had another":                      {article: fresh, reader: newsletter.Reader{Had: func(id int64) bool { return id == 2 }}, want: newsletter.Taken},
		"joined after the edition":         {article: seen(2 * day), reader: newsletter.Reader{JoinedAfter: ago(day)}, want: newsletter.BeforeJoining},
		"a first digest is a whole one":    {article: seen(2 * day), reader: newsletter.Reader{JoinedAfter: ago(3 * day)}, want: newsletter.Taken},
		"seen at the very freeze":          {article: seen(day), reader: newsletter.Reader{JoinedAfter: ago(day)}, want: newsletter.BeforeJoining},
		"their section":                    {article: fresh, sections: 0b10, reader: newsletter.Reader{Sections: 0b110}, want: newsletter.Taken},
		"not their section":                {article: fresh, sections: 0b01, reader: newsletter.Reader{Sections: 0b110}, want: newsletter.NotTheirs},
		"in no section":                    {article: fresh, reader: newsletter.Reader{Sections: 0b110}, want: newsletter.NotTheirs},
		"in no section, all chosen":        {article: fresh, want: newsletter.Taken},
		"withdrawn":                        {article: with(func(a *newsletter.Article) { a.WithdrawnAt = ago(time.Hour) }), want: newsletter.IsWithdrawn},
		"held":                             {article: with(func(a *newsletter.Article) { a.Hold = newsletter.HeldByStaff }), want: newsletter.IsHeld},
		"back-dated":                       {article: with(func(a *newsletter.Article) { a.Hold = newsletter.HeldBackDate }), want: newsletter.IsBackDated},
		"baseline":                         {article: with(func(a *newsletter.Article) { a.Baseline = true }), want: newsletter.IsBaseline},
		"embargo":                          {article: with(func(a *newsletter.Article) { a.OwedFrom = monday.Add(time.Minute) }), want: newsletter.IsEmbargoed},
		"embargo over":                     {article: with(func(a *newsletter.Article) { a.FirstSeen, a.OwedFrom = ago(12*day), ago(time.Hour) }), want: newsletter.Taken},
		"known before the source was ours": {article: seen(5 * day), attached: ago(day), want: newsletter.BeforeAttached},
		"of the day before we attached":    {article: seen(2 * day), attached: ago(day), want: newsletter.Taken},
	} {
		c := newsletter.Candidate{Article: test.article, Sections: test.sections, Attached: test.attached}
		if got := newsletter.Owed(c, test.reader, monday); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestAdmit_DoesNotFloodAndDoesNotLose(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		published time.Time
		first     bool
		owedFrom  time.Time
		hold      newsletter.Hold
		baseline  bool
	}{
		"new item":                    {published: ago(time.Hour), owedFrom: monday},
		"dated yesterday, seen today": {published: ago(26 * time.Hour), owedFrom: monday},
		"back-dated":                  {published: ago(8 * day), hold: newsletter.HeldBackDate},
		"first fetch, fresh":          {published: ago(47 * time.Hour), first: true, owedFrom: monday},
		"first fetch, older":          {published: ago(49 * time.Hour), first: true, baseline: true},
		"first fetch, years old":      {published: ago(900 * day), first: true, baseline: true},
		"first fetch, no date":        {first: true, baseline: true},
		"no date":                     {owedFrom: monday},
		"a clock that is a bit ahead": {published: monday.Add(4 * time.Minute), owedFrom: monday},
		"embargo":                     {published: monday.Add(3 * time.Hour), owedFrom: monday.Add(3 * time.Hour)},
		"embargo on a first fetch":    {published: monday.Add(3 * time.Hour), first: true, owedFrom: monday.Add(3 * time.Hour)},
		"the year 2999 is a mistake":  {published: monday.AddDate(973, 0, 0), hold: newsletter.HeldByStaff},
	} {
		a := newsletter.Admit(newsletter.Item{Published: test.published}, test.first, monday)
		if !a.OwedFrom.Equal(test.owedFrom) || a.Hold != test.hold || a.Baseline != test.baseline {
			t.Errorf("%s: owed from %v, hold %q, baseline %v", name, a.OwedFrom, a.Hold, a.Baseline)
		}
	}
}
