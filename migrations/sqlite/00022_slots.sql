-- +goose Up
-- +goose StatementBegin
-- Whose edition it is: of the readers of this slot, or of 'all' that the cadence has. An extra
-- edition has a slot name of its own, and readers of one of the newsletter's slots all the same.
ALTER TABLE editions ADD COLUMN for_slot TEXT NOT NULL DEFAULT 'main';
-- +goose StatementEnd
