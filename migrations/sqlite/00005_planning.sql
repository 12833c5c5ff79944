-- +goose Up
-- +goose StatementBegin
-- What an edition's plan gave to whom, packed: planning the next one reads this instead of a
-- million rows of the ledger. A part is written with its rows and never changes.
CREATE TABLE plan_parts (
  edition_id   INTEGER NOT NULL REFERENCES editions (id),
  starts_after INTEGER NOT NULL, -- it speaks for the subscribers after this one …
  last         INTEGER NOT NULL, -- … up to this one
  runs         BLOB    NOT NULL, -- see store/plan_part.go
  PRIMARY KEY (edition_id, last)
) STRICT;

-- The outbox is relay 0, so that an index can tell its deliveries.
UPDATE deliveries SET relay_id = 0 WHERE relay_id IN (SELECT id FROM relays WHERE name = 'outbox');
UPDATE relays SET id = 0 WHERE name = 'outbox';
INSERT INTO relays (id, name) VALUES (0, 'outbox') ON CONFLICT DO NOTHING;

-- What does not hold its articles any more, or only for the outbox: few, beside the plan.
CREATE INDEX deliveries_released ON deliveries (edition_id, subscriber_id, state, relay_id, variant_id)
  WHERE variant_id IS NOT NULL AND (state = 4 OR state = 7 OR state = 8 OR relay_id = 0);
-- +goose StatementEnd
