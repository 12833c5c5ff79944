-- +goose Up
-- +goose StatementBegin
-- More kinds of transactional mail: a fresh link, a change of address to be confirmed, word of it to
-- the old address, and a welcome. What such a mail is about beside its reader stands in about_id.
CREATE TABLE mails_of_kinds (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL CHECK (kind IN ('confirm', 'already', 'link', 'address', 'moved', 'welcome')),
  subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
  signup_id     INTEGER REFERENCES signups (id),
  about_id      INTEGER NOT NULL DEFAULT 0, -- address, moved: the change of address; welcome: the newsletter
  state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 8),
  attempts      INTEGER NOT NULL DEFAULT 0,
  doubts        INTEGER NOT NULL DEFAULT 0,
  not_before    INTEGER NOT NULL,
  next_try      INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  code          INTEGER NOT NULL DEFAULT 0,
  enhanced      TEXT    NOT NULL DEFAULT '',
  reply         TEXT    NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT;
INSERT INTO mails_of_kinds (id, kind, subscriber_id, signup_id, state, attempts, doubts, not_before, next_try, expires_at, code, enhanced, reply, created_at, updated_at)
  SELECT id, kind, subscriber_id, signup_id, state, attempts, doubts, not_before, next_try, expires_at, code, enhanced, reply, created_at, updated_at
  FROM mails ORDER BY id;
DROP TABLE mails;
ALTER TABLE mails_of_kinds RENAME TO mails;
CREATE INDEX mails_due ON mails (next_try) WHERE state IN (1, 5);
CREATE INDEX mails_sending ON mails (id) WHERE state = 2;
CREATE INDEX mails_by_subscriber ON mails (subscriber_id, created_at);
CREATE INDEX mails_by_signup ON mails (signup_id);
CREATE INDEX mails_finished ON mails (created_at) WHERE (state IN (4, 6, 7, 8) OR state = 3 AND kind <> 'confirm');
-- +goose StatementEnd
