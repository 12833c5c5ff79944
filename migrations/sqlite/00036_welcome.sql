-- +goose Up
-- +goose StatementBegin
-- Whether who has confirmed gets a mail of welcome at once. Who gets one is found by about_id in mails.
ALTER TABLE newsletters ADD COLUMN welcome INTEGER NOT NULL DEFAULT 0 CHECK (welcome IN (0, 1));
-- +goose StatementEnd
