-- +goose Up
-- +goose StatementBegin
-- What is removed after its time is found without reading everything.
CREATE INDEX mails_by_signup ON mails (signup_id);
CREATE INDEX signups_unconfirmed ON signups (expires_at) WHERE confirmed_at IS NULL;
CREATE INDEX subscription_events_with_client ON subscription_events (at) WHERE ip <> '' OR user_agent <> '';
-- +goose StatementEnd
