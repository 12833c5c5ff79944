-- +goose Up
-- +goose StatementBegin
-- What this database has put into the journal's file, and since when it is known that the file
-- does not have it any more. A new backup makes up for that.
ALTER TABLE journal_state ADD COLUMN appended INTEGER NOT NULL DEFAULT 0; -- the number of the last entry
ALTER TABLE journal_state ADD COLUMN lost_at INTEGER;
-- +goose StatementEnd
