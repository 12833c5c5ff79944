-- +goose Up
-- +goose StatementBegin
-- The sites whose pages may have a newsletter's sign-up form, "https://www.example.org", with spaces
-- between them; empty: only our own pages as element or frame.
ALTER TABLE newsletters ADD COLUMN origins TEXT NOT NULL DEFAULT '';
-- +goose StatementEnd
