-- +goose Up
-- +goose StatementBegin
-- What a subscription was before a reader changed it, as JSON, so that the change can be undone;
-- empty: it cannot.
ALTER TABLE subscription_events ADD COLUMN was TEXT NOT NULL DEFAULT '';
-- +goose StatementEnd
