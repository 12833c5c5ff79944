-- +goose Up
-- +goose StatementBegin
-- What names a variant in the link by which its readers see it in a browser.
ALTER TABLE variants ADD COLUMN view_key TEXT;
CREATE INDEX variants_by_view_key ON variants (view_key) WHERE view_key IS NOT NULL;
-- +goose StatementEnd
