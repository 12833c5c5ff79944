-- +goose Up
-- +goose StatementBegin
-- When a frozen edition is to be planned and sent; NULL: at once.
ALTER TABLE editions ADD COLUMN send_at INTEGER;

-- What staff decided about an edition that is not frozen yet. Its row in editions is in the state
-- draft, without a slot of its own, and with 0 as the time of what is known in it.
CREATE TABLE edition_drafts (
  edition_id INTEGER NOT NULL PRIMARY KEY REFERENCES editions (id),
  sheet      TEXT    NOT NULL, -- JSON
  items      TEXT    NOT NULL, -- JSON: the articles' texts as they were taken in, by the articles' ids
  revision   INTEGER NOT NULL, -- goes up with each change
  changed_by TEXT    NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
-- +goose StatementEnd
