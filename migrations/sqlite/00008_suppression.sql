-- +goose Up
-- +goose StatementBegin
-- A suppression gets a number, by which lists are paged and staff can name one whose address
-- nobody knows any more. Numbers are never used again.
CREATE TABLE suppressions_numbered (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  hash       BLOB    NOT NULL UNIQUE,     -- of the case-folded address, or of "@" and the domain
  domain     TEXT    NOT NULL DEFAULT '', -- in clear where it stands for a whole domain
  reason     TEXT    NOT NULL,
  note       TEXT    NOT NULL DEFAULT '',
  actor      TEXT    NOT NULL DEFAULT '', -- who entered it
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO suppressions_numbered (hash, reason, note, created_at)
  SELECT hash, reason, note, created_at FROM suppressions ORDER BY created_at, hash;
DROP TABLE suppressions;
ALTER TABLE suppressions_numbered RENAME TO suppressions;
CREATE INDEX suppressions_by_reason ON suppressions (reason, id);
CREATE INDEX suppressions_of_domains ON suppressions (domain) WHERE domain <> '';

-- What happened to the suppressions of an address: appended, never changed, but that erasing a
-- person empties the notes.
CREATE TABLE suppression_events (
  id     INTEGER PRIMARY KEY,
  hash   BLOB    NOT NULL,
  kind   TEXT    NOT NULL CHECK (kind IN ('suppressed', 'lifted')),
  reason TEXT    NOT NULL,
  path   TEXT    NOT NULL DEFAULT '', -- what lifted it: "confirm", "staff"
  note   TEXT    NOT NULL DEFAULT '',
  actor  TEXT    NOT NULL DEFAULT '',
  at     INTEGER NOT NULL
) STRICT;
CREATE INDEX suppression_events_by_hash ON suppression_events (hash, id);
-- +goose StatementEnd
