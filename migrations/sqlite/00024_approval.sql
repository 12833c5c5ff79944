-- +goose Up
-- +goose StatementBegin
-- Whether the editions of a newsletter's slots wait for somebody to approve them, and how many
-- milliseconds before its slot one is drafted and has to be approved.
ALTER TABLE newsletters ADD COLUMN approval TEXT NOT NULL DEFAULT 'none';
ALTER TABLE newsletters ADD COLUMN approval_lead INTEGER NOT NULL DEFAULT 3600000;
ALTER TABLE newsletters ADD COLUMN approval_deadline INTEGER NOT NULL DEFAULT 0;

-- What staff have said about the draft of a slot. Its edition has the slot from the beginning.
CREATE TABLE edition_approvals (
  edition_id INTEGER NOT NULL PRIMARY KEY REFERENCES editions (id),
  state      TEXT    NOT NULL CHECK (state IN ('asked', 'held', 'approved', 'expired')),
  deadline   INTEGER NOT NULL,
  asked_at   INTEGER NOT NULL,
  decided_by TEXT    NOT NULL DEFAULT '',
  decided_at INTEGER
) STRICT;
CREATE INDEX edition_approvals_waiting ON edition_approvals (deadline) WHERE state IN ('asked', 'held');

-- The outbox of mails that ask staff to approve a draft. Like those to readers they are composed
-- at hand-over; nothing secret is here. The states are those of the ledger.
CREATE TABLE proof_mails (
  id         INTEGER PRIMARY KEY,
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  state      INTEGER NOT NULL CHECK (state BETWEEN 1 AND 8),
  attempts   INTEGER NOT NULL DEFAULT 0,
  doubts     INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL,
  next_try   INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  code       INTEGER NOT NULL DEFAULT 0,
  enhanced   TEXT    NOT NULL DEFAULT '',
  reply      TEXT    NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX proof_mails_due ON proof_mails (next_try) WHERE state IN (1, 5);
CREATE INDEX proof_mails_sending ON proof_mails (id) WHERE state = 2;
CREATE INDEX proof_mails_by_edition ON proof_mails (edition_id);

-- Which share of its readers gets an edition of the newsletter before the others; empty: all at
-- once. And for how many milliseconds the others wait.
ALTER TABLE newsletters ADD COLUMN canary TEXT NOT NULL DEFAULT '';
ALTER TABLE newsletters ADD COLUMN canary_hold INTEGER NOT NULL DEFAULT 600000;

-- How far the canary of an edition is, and whom it has.
CREATE TABLE edition_canaries (
  edition_id INTEGER NOT NULL PRIMARY KEY REFERENCES editions (id),
  share      INTEGER NOT NULL, -- millionths
  hold       INTEGER NOT NULL, -- milliseconds
  picked_at  INTEGER,
  size       INTEGER NOT NULL DEFAULT 0,
  sent_at    INTEGER,          -- each of them was tried
  over_at    INTEGER,          -- the others go on, or the edition was paused
  stopped    TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE canary_readers (
  edition_id    INTEGER NOT NULL REFERENCES editions (id),
  subscriber_id INTEGER NOT NULL,
  PRIMARY KEY (edition_id, subscriber_id)
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
