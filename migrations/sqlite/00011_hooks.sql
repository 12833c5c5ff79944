-- +goose Up
-- +goose StatementBegin
-- Which calls of web hooks were taken, so that one that is made again changes nothing. Of each
-- there is a hash of its sender and number, kept for as long as such a call could be made.
CREATE TABLE hook_calls (
  hash BLOB    PRIMARY KEY,
  at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_calls_by_time ON hook_calls (at);
-- +goose StatementEnd
