-- +goose Up
-- +goose StatementBegin
-- Which editions had which booked message of a sponsor.
CREATE TABLE sponsor_runs (
  booking_id INTEGER NOT NULL REFERENCES sponsor_bookings (id),
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  PRIMARY KEY (booking_id, edition_id)
) STRICT;
-- +goose StatementEnd
