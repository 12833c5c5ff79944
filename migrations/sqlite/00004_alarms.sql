-- +goose Up
-- +goose StatementBegin
-- What was wrong, and who was told of it and of its end.
CREATE TABLE alarms (
  id              INTEGER PRIMARY KEY,
  kind            TEXT    NOT NULL,
  subject         TEXT    NOT NULL,
  text            TEXT    NOT NULL,
  since           INTEGER NOT NULL,
  raised_at       INTEGER NOT NULL,
  mailed_at       INTEGER,
  called_at       INTEGER,
  cleared_at      INTEGER,
  clear_mailed_at INTEGER,
  clear_called_at INTEGER,
  settled         INTEGER NOT NULL DEFAULT 0 -- it is over, and everybody was told
) STRICT;
CREATE UNIQUE INDEX alarms_open ON alarms (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX alarms_unsettled ON alarms (id) WHERE settled = 0;

-- How many of an edition were accepted, and when that number last changed: a sender that
-- gets nowhere is found by it.
CREATE TABLE edition_progress (
  edition_id INTEGER NOT NULL PRIMARY KEY REFERENCES editions (id),
  accepted   INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

-- How far something has come that must not be done twice.
CREATE TABLE marks (
  name TEXT    NOT NULL PRIMARY KEY,
  at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
