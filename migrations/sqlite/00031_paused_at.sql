-- +goose Up
-- +goose StatementBegin
-- When a subscription's pause began, the first one of several within thirty days; NULL: it is not
-- known. What came since, up to paused_until, is what the reader missed.
ALTER TABLE subscriptions ADD COLUMN paused_at INTEGER;
-- +goose StatementEnd
