-- +goose Up
-- +goose StatementBegin
-- Sponsors' messages that are booked ahead for a newsletter and a date.
CREATE TABLE sponsor_bookings (
  id            INTEGER PRIMARY KEY,
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  cadence       TEXT    NOT NULL, -- empty: every edition of the date
  local_date    TEXT    NOT NULL, -- 2026-12-01
  position      INTEGER NOT NULL, -- among the stories
  sponsor       TEXT    NOT NULL, -- who pays
  copy          TEXT    NOT NULL DEFAULT '', -- Markdown; empty: it is still to come
  url           TEXT    NOT NULL DEFAULT '',
  image_url     TEXT    NOT NULL DEFAULT '',
  image_alt     TEXT    NOT NULL DEFAULT '',
  cancelled_at  INTEGER,
  changed_by    TEXT    NOT NULL,
  changed_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sponsor_bookings_by_date ON sponsor_bookings (newsletter_id, local_date);
-- +goose StatementEnd
