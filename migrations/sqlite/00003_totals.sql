-- +goose Up
-- +goose StatementBegin
-- What came back after the relay had accepted a message: 1 a bounce, 2 a complaint.
ALTER TABLE deliveries ADD COLUMN returned INTEGER CHECK (returned IN (1, 2));

-- What stands behind the last @ of the address, to count by.
ALTER TABLE subscribers ADD COLUMN domain TEXT GENERATED ALWAYS AS
  (substr(email_key, length(rtrim(email_key, replace(email_key, '@', ''))) + 1)) VIRTUAL;

ALTER TABLE editions ADD COLUMN moves INTEGER NOT NULL DEFAULT 0; -- how often its ledger was changed after the sending
ALTER TABLE editions ADD COLUMN totals_at INTEGER;                -- when its totals were counted; NULL: they are not kept, or not any more
ALTER TABLE editions ADD COLUMN pruned_at INTEGER;                -- since then its rows are being removed, or are gone
CREATE INDEX editions_uncounted ON editions (id) WHERE totals_at IS NULL AND state IN ('sent', 'cancelled', 'expired');

-- What an edition's ledger adds up to. It is kept for ever, the rows are not.
CREATE TABLE edition_totals (
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  kind       TEXT    NOT NULL CHECK (kind IN ('state', 'reason', 'domain', 'reply', 'relay', 'doubt', 'returned', 'size')),
  key        TEXT    NOT NULL, -- which reason, domain, reply …
  state      INTEGER NOT NULL, -- of the deliveries counted; 0: in any
  n          INTEGER NOT NULL,
  example    TEXT    NOT NULL DEFAULT '', -- the words of one such reply
  PRIMARY KEY (edition_id, kind, key, state)
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
