-- +goose Up
-- +goose StatementBegin
-- How a newsletter's mails look. Empty: the first design, our colour, the name in letters, and
-- the newsletter's own page as the place where there is more to read.
ALTER TABLE newsletters ADD COLUMN site_url TEXT NOT NULL DEFAULT '';
ALTER TABLE newsletters ADD COLUMN design TEXT NOT NULL DEFAULT 'brief';
ALTER TABLE newsletters ADD COLUMN brand_colour TEXT NOT NULL DEFAULT '';
ALTER TABLE newsletters ADD COLUMN logo_url TEXT NOT NULL DEFAULT '';
ALTER TABLE newsletters ADD COLUMN typeface TEXT NOT NULL DEFAULT 'serif';
-- +goose StatementEnd
