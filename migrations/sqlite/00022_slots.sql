-- +goose Up
-- +goose StatementBegin
-- Whose edition it is: of the readers of this slot, or of 'all' that the cadence has. An extra
-- edition has a slot name of its own, and readers of one of the newsletter's slots all the same.
ALTER TABLE editions ADD COLUMN for_slot TEXT NOT NULL DEFAULT 'main';

-- What readers of the cadence immediate get, and how it is bundled. Labels are lines.
CREATE TABLE immediate_rules (
  newsletter_id INTEGER NOT NULL PRIMARY KEY REFERENCES newsletters (id),
  quiet         INTEGER NOT NULL, -- milliseconds
  hours         TEXT    NOT NULL DEFAULT '', -- 06:00-22:00; empty: the whole day
  labels        TEXT    NOT NULL DEFAULT '',
  sections      INTEGER NOT NULL DEFAULT 0   -- a mask of sections.bit
) STRICT;

-- The schedule asks every few seconds what came since the last edition, and for whom.
CREATE INDEX editions_immediate ON editions (newsletter_id, as_of) WHERE cadence = 'immediate';
CREATE INDEX subscriptions_immediate ON subscriptions (newsletter_id, updated_at) WHERE cadence = 'immediate' AND state IN ('active', 'paused');

-- Since when articles are owed to somebody who chose another cadence or slot after joining: what was
-- owed by the one before stays owed. Null: since they joined.
ALTER TABLE subscriptions ADD COLUMN owed_since INTEGER;
-- +goose StatementEnd
