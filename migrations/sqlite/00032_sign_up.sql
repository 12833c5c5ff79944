-- +goose Up
-- +goose StatementBegin
-- Every sign-up counts towards four buckets; what is over is found by going through them.
DROP INDEX rate_counters_by_window;
-- +goose StatementEnd
