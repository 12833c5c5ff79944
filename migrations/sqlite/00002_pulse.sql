-- +goose Up
-- +goose StatementBegin
-- How an edition goes, as its sender last saw it: one row for each edition, written over.
CREATE TABLE edition_pulses (
  edition_id  INTEGER NOT NULL PRIMARY KEY REFERENCES editions (id),
  at          INTEGER NOT NULL,
  connections INTEGER NOT NULL,
  rate        REAL    NOT NULL, -- messages a second
  counts      TEXT    NOT NULL, -- JSON: the tally, and the replies by code
  relay       TEXT    NOT NULL, -- what the relay did wrong last
  next_try    INTEGER
) STRICT;
-- +goose StatementEnd
