-- +goose Up
-- +goose StatementBegin
-- What is removed after its time is found without reading everything: mails that are finished,
-- but for those that prove consent, people who left, and replies that no delivery has any more.
CREATE INDEX mails_finished ON mails (created_at) WHERE (state IN (4, 6, 7, 8) OR state = 3 AND kind = 'already');
CREATE INDEX subscriptions_left ON subscriptions (left_at) WHERE state = 'left';
CREATE INDEX deliveries_by_reply ON deliveries (reply_id) WHERE reply_id IS NOT NULL;
-- +goose StatementEnd
