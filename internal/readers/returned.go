package readers

import (
	"context"

	"broadsheet/internal/newsletter"
)

// returnsShown is how much of what came back is shown of a subscriber.
const returnsShown = 100

// Returns returns what came back of messages to a subscriber, the newest first: the last
// hundred.
func (s *Service) Returns(ctx context.Context, subscriberID int64) ([]newsletter.Return, error) {
	return s.store.Returns(ctx, subscriberID, returnsShown)
}
