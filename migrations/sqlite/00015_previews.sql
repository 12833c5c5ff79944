-- +goose Up
-- +goose StatementBegin
-- The last preview that staff looked at, of what would be built (edition 0) or of a draft: the next
-- one says what is different.
CREATE TABLE previews (
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  cadence       TEXT    NOT NULL,
  edition_id    INTEGER NOT NULL,
  at            INTEGER NOT NULL,
  hash          TEXT    NOT NULL,
  subject       TEXT    NOT NULL,
  snapshot      TEXT    NOT NULL, -- JSON, without the templates
  PRIMARY KEY (newsletter_id, cadence, edition_id)
) STRICT, WITHOUT ROWID;

-- Slots whose edition the schedule holds since a gate fails, and why.
CREATE TABLE held_slots (
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  cadence       TEXT    NOT NULL,
  local_date    TEXT    NOT NULL,
  slot          TEXT    NOT NULL,
  at            INTEGER NOT NULL,
  why           TEXT    NOT NULL,
  PRIMARY KEY (newsletter_id, cadence, local_date, slot)
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
