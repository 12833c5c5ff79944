-- +goose Up
-- +goose StatementBegin
-- What staff say about an article that was sent and has changed since.
CREATE TABLE corrections (
  id         INTEGER PRIMARY KEY,
  article_id INTEGER NOT NULL REFERENCES articles (id),
  note       TEXT    NOT NULL, -- Markdown; empty: the change needs none
  changed_at INTEGER NOT NULL, -- editions that were frozen before have the original
  made_by    TEXT    NOT NULL,
  made_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX corrections_by_article ON corrections (article_id, id);
CREATE INDEX corrections_by_made_at ON corrections (made_at);

-- Which corrections an edition tells of.
CREATE TABLE edition_corrections (
  edition_id    INTEGER NOT NULL REFERENCES editions (id),
  correction_id INTEGER NOT NULL REFERENCES corrections (id),
  PRIMARY KEY (edition_id, correction_id)
) STRICT, WITHOUT ROWID;

-- Which of them a variant tells its readers. They count as told like articles count as given.
CREATE TABLE variant_corrections (
  variant_id    INTEGER NOT NULL REFERENCES variants (id),
  correction_id INTEGER NOT NULL REFERENCES corrections (id),
  PRIMARY KEY (variant_id, correction_id)
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
