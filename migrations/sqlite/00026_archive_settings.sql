-- +goose Up
-- +goose StatementBegin
-- Who may see the newsletter's past editions: index, noindex (not in search engines) or off. And
-- where its editions are at home, if not in the archive; {edition} stands for the number.
ALTER TABLE newsletters ADD COLUMN archive TEXT NOT NULL DEFAULT 'index';
ALTER TABLE newsletters ADD COLUMN archive_canonical TEXT NOT NULL DEFAULT '';
-- +goose StatementEnd
