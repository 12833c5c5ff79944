-- +goose Up
-- +goose StatementBegin
-- Articles that were taken back from editions that have them.
CREATE TABLE edition_withdrawals (
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  article_id INTEGER NOT NULL REFERENCES articles (id),
  at         INTEGER NOT NULL,
  PRIMARY KEY (edition_id, article_id)
) STRICT, WITHOUT ROWID;
INSERT INTO edition_withdrawals (edition_id, article_id, at)
  SELECT ea.edition_id, ea.article_id, a.withdrawn_at FROM edition_articles ea JOIN articles a ON a.id = ea.article_id
  WHERE a.withdrawn_at IS NOT NULL;
-- The variant that its readers get instead since an article of it was taken back: 0 if that is
-- not made yet, its own id if nothing is left. NULL: nothing of it was taken back.
ALTER TABLE variants ADD COLUMN replaced_by INTEGER;
UPDATE variants SET replaced_by = 0 WHERE id IN
  (SELECT va.variant_id FROM variant_articles va JOIN articles a ON a.id = va.article_id WHERE a.withdrawn_at IS NOT NULL);
-- +goose StatementEnd
