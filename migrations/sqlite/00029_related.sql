-- +goose Up
-- +goose StatementBegin
-- How many related stories stand under an article at most.
ALTER TABLE newsletters ADD COLUMN related INTEGER NOT NULL DEFAULT 0 CHECK (related BETWEEN 0 AND 2);
-- +goose StatementEnd
