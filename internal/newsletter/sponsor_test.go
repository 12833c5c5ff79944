package newsletter_test

import (
	"testing"

	"broadsheet/internal/newsletter"
)

func TestBooking_IsForItsCadenceAndClashesThere(t *testing.T) {
	t.Parallel()
	date := newsletter.Date{Year: 2026, Month: 12, Day: 1}
	every := newsletter.Booking{ID: 1, NewsletterID: 1, Date: date, Position: 2}
	daily, weekly := every, every
	daily.ID, daily.Cadence = 2, newsletter.Daily
	weekly.ID, weekly.Cadence = 3, newsletter.Weekly
	if !every.For(newsletter.Daily) || !daily.For(newsletter.Daily) || weekly.For(newsletter.Daily) {
		t.Error("a booking enters editions of another cadence, or not those of its own")
	}
	later := every
	later.ID, later.Position = 4, 3
	if !every.Clashes(daily) || !weekly.Clashes(every) || daily.Clashes(weekly) || every.Clashes(later) || every.Clashes(every) {
		t.Error("the wrong bookings clash")
	}
}
