-- +goose Up
-- +goose StatementBegin
ALTER TABLE editions ADD COLUMN warm_up TEXT NOT NULL DEFAULT ''; -- "500/day x1.5"; empty: no limit

-- How many messages of an edition with a warm-up were begun on each day.
CREATE TABLE warm_up_days (
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  day        INTEGER NOT NULL, -- Unix milliseconds of its beginning, UTC
  begun      INTEGER NOT NULL,
  PRIMARY KEY (edition_id, day)
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
