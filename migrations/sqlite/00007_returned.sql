-- +goose Up
-- +goose StatementBegin
-- What came back of messages, once for each message and kind. 0 stands for none, so that the
-- index holds: NULLs are never the same.
CREATE TABLE returns (
  id            INTEGER PRIMARY KEY,
  edition_id    INTEGER NOT NULL,
  subscriber_id INTEGER NOT NULL, -- 0: the mail is not kept any more
  mail_id       INTEGER NOT NULL,
  kind          TEXT    NOT NULL CHECK (kind IN ('hard', 'soft', 'complaint', 'auto_reply', 'other')),
  status        TEXT    NOT NULL,
  code          INTEGER NOT NULL,
  reason        TEXT    NOT NULL,
  diagnostic    TEXT    NOT NULL,
  address       TEXT    NOT NULL, -- that the report names, if it is not the reader's
  channel       TEXT    NOT NULL,
  effect        TEXT    NOT NULL,
  at            INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX returns_once ON returns (edition_id, subscriber_id, mail_id, kind, (CASE WHEN reason = 'delayed' THEN 1 ELSE 0 END));
CREATE INDEX returns_by_subscriber ON returns (subscriber_id, id);
CREATE INDEX returns_by_time ON returns (at);

-- How many messages came back, for ever; kind 'unknown' are those without a return path of ours.
CREATE TABLE return_counts (
  kind    TEXT    NOT NULL,
  channel TEXT    NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (kind, channel)
) STRICT, WITHOUT ROWID;

-- Few, so that they can be counted while an edition is being sent.
CREATE INDEX deliveries_returned ON deliveries (edition_id, returned, subscriber_id) WHERE returned IS NOT NULL;

-- From which share on the edition pauses itself, in millionths, once it has done so and staff
-- let it go on; NULL: as set.
ALTER TABLE editions ADD COLUMN brake_refused INTEGER;
ALTER TABLE editions ADD COLUMN brake_complaints INTEGER;
-- +goose StatementEnd
