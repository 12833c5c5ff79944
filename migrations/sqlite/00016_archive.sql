-- +goose Up
-- +goose StatementBegin
-- When the edition came into the archive: when it was sent for the first time. It stays there
-- while staff retry some of it.
ALTER TABLE editions ADD COLUMN archived_at INTEGER;
UPDATE editions SET archived_at = COALESCE(finished_at, as_of)
  WHERE state = 'sent' AND EXISTS (SELECT 1 FROM edition_snapshots s WHERE s.edition_id = editions.id);
CREATE INDEX editions_archived ON editions (newsletter_id, id) WHERE archived_at IS NOT NULL;
-- +goose StatementEnd
