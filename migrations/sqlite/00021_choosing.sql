-- +goose Up
-- +goose StatementBegin
-- What becomes of an article that a reader had by another cadence or newsletter.
ALTER TABLE newsletters ADD COLUMN repeats TEXT NOT NULL DEFAULT 'never' CHECK (repeats IN ('never', 'as-headlines', 'always'));
-- +goose StatementEnd
