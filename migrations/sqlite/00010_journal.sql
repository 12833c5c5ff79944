-- +goose Up
-- +goose StatementBegin
-- How far the journal has what is in this database, and whether the database came back from a
-- backup. It is one row.
CREATE TABLE journal_state (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  position      INTEGER NOT NULL,            -- the number of the last entry whose change is in here
  failed_at     INTEGER,                     -- since when the journal cannot be written
  failure       TEXT    NOT NULL DEFAULT '', -- why
  restored_at   INTEGER,                     -- nothing is sent until staff have confirmed it; NULL: they have
  restored_from TEXT    NOT NULL DEFAULT ''  -- the backup's file
) STRICT;
INSERT INTO journal_state (one, position) VALUES (1, 0);

-- Entries that the journal could not take, in their order, to be appended later.
CREATE TABLE journal_backlog (
  id    INTEGER PRIMARY KEY,
  entry TEXT    NOT NULL, -- JSON
  at    INTEGER NOT NULL
) STRICT;

-- Articles that went out in editions which a restored database knows from the journal only.
-- When they come in again they are known and owed to nobody.
CREATE TABLE sent_articles (
  url       TEXT    NOT NULL PRIMARY KEY,
  source_id INTEGER NOT NULL,
  guid      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_articles_by_guid ON sent_articles (source_id, guid);

-- Ids up to the floor are never given out again, whatever rows there are: links and return
-- paths that are out there name them.
CREATE TABLE id_floors (
  name  TEXT    NOT NULL PRIMARY KEY, -- of the table
  floor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO id_floors (name, floor) VALUES ('subscribers', 0), ('mails', 0);
-- +goose StatementEnd
