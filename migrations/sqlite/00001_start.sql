-- +goose Up
-- +goose StatementBegin
-- Times are Unix milliseconds (UTC). A NULL time has not happened.

-- The key ring for tokens in links, and the permanent key for suppressions.
CREATE TABLE keys (
  id         INTEGER PRIMARY KEY,
  purpose    TEXT    NOT NULL CHECK (purpose IN ('links', 'suppression')),
  secret     BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER
) STRICT;

CREATE TABLE newsletters (
  id             INTEGER PRIMARY KEY,
  slug           TEXT    NOT NULL UNIQUE,
  name           TEXT    NOT NULL,
  description    TEXT    NOT NULL DEFAULT '',
  from_name      TEXT    NOT NULL,
  from_email     TEXT    NOT NULL,
  reply_to_name  TEXT    NOT NULL DEFAULT '',
  reply_to_email TEXT    NOT NULL DEFAULT '',
  postal_address TEXT    NOT NULL,
  language       TEXT    NOT NULL,
  zone           TEXT    NOT NULL,
  privacy_url    TEXT    NOT NULL DEFAULT '',
  legal_footer   TEXT    NOT NULL DEFAULT '',
  link_params    TEXT    NOT NULL DEFAULT '',
  min_articles   INTEGER NOT NULL,
  max_articles   INTEGER NOT NULL,
  status         TEXT    NOT NULL CHECK (status IN ('open', 'paused', 'closed')),
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;

-- When a cadence's slot is due. An empty rule is only sent by hand.
CREATE TABLE schedules (
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  cadence       TEXT    NOT NULL CHECK (cadence IN ('daily', 'weekly', 'immediate')),
  slot          TEXT    NOT NULL,
  rule          TEXT    NOT NULL,
  set_at        INTEGER NOT NULL,
  PRIMARY KEY (newsletter_id, cadence, slot)
) STRICT, WITHOUT ROWID;

-- A topic that staff define. bit is its place in the masks of subscriptions, never reused.
CREATE TABLE sections (
  id            INTEGER PRIMARY KEY,
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  bit           INTEGER NOT NULL CHECK (bit BETWEEN 0 AND 61),
  slug          TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  categories    TEXT    NOT NULL, -- a JSON array of feed categories
  position      INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  removed_at    INTEGER, -- it stays as a row, so that its bit is never another section's
  UNIQUE (newsletter_id, bit),
  UNIQUE (newsletter_id, slug)
) STRICT;

CREATE TABLE sources (
  id            INTEGER PRIMARY KEY,
  url           TEXT    NOT NULL UNIQUE,
  name          TEXT    NOT NULL,
  kind          TEXT    NOT NULL CHECK (kind IN ('feed', 'api')),
  etag          TEXT    NOT NULL DEFAULT '',
  last_modified TEXT    NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  next_fetch_at INTEGER NOT NULL,
  last_fetch_at INTEGER,
  last_ok_at    INTEGER,
  last_error    TEXT    NOT NULL DEFAULT '',
  failures      INTEGER NOT NULL DEFAULT 0,
  items         INTEGER NOT NULL DEFAULT 0,
  broken_items  INTEGER NOT NULL DEFAULT 0,
  turned_over   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE newsletter_sources (
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  source_id     INTEGER NOT NULL REFERENCES sources (id),
  attached_at   INTEGER NOT NULL,
  PRIMARY KEY (newsletter_id, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX newsletter_sources_by_source ON newsletter_sources (source_id);

CREATE TABLE articles (
  id           INTEGER PRIMARY KEY,
  source_id    INTEGER NOT NULL REFERENCES sources (id),
  guid         TEXT    NOT NULL,
  url          TEXT    NOT NULL UNIQUE,
  headline     TEXT    NOT NULL,
  summary      TEXT    NOT NULL,
  author       TEXT    NOT NULL,
  image_url    TEXT    NOT NULL,
  image_alt    TEXT    NOT NULL,
  label        TEXT    NOT NULL,
  published_at INTEGER,          -- as the source says
  revised_at   INTEGER,          -- as the source says
  first_seen   INTEGER NOT NULL,
  owed_from    INTEGER,          -- what decides whether it is new to a reader; NULL: owed to nobody
  hold         TEXT    NOT NULL DEFAULT '' CHECK (hold IN ('', 'staff', 'back_dated')),
  baseline     INTEGER NOT NULL DEFAULT 0,
  withdrawn_at INTEGER,
  hash         TEXT    NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX articles_by_first_seen ON articles (first_seen);
CREATE INDEX articles_by_owed_from ON articles (owed_from) WHERE owed_from IS NOT NULL;

-- Under which guids which sources carry an article.
CREATE TABLE article_sources (
  source_id  INTEGER NOT NULL REFERENCES sources (id),
  guid       TEXT    NOT NULL,
  article_id INTEGER NOT NULL REFERENCES articles (id),
  seen_at    INTEGER NOT NULL,
  PRIMARY KEY (source_id, guid)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_sources_by_article ON article_sources (article_id, source_id);

CREATE TABLE article_categories (
  article_id INTEGER NOT NULL REFERENCES articles (id),
  category   TEXT    NOT NULL,
  position   INTEGER NOT NULL,
  PRIMARY KEY (article_id, category)
) STRICT, WITHOUT ROWID;

-- The text that an article had before it changed.
CREATE TABLE article_revisions (
  article_id INTEGER NOT NULL REFERENCES articles (id),
  replaced_at INTEGER NOT NULL,
  hash       TEXT    NOT NULL,
  item       TEXT    NOT NULL, -- JSON
  PRIMARY KEY (article_id, replaced_at, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscribers (
  id         INTEGER PRIMARY KEY,
  email      TEXT    NOT NULL,
  email_key  TEXT    NOT NULL UNIQUE, -- the case-folded address
  name       TEXT    NOT NULL DEFAULT '',
  time_zone  TEXT    NOT NULL DEFAULT '',
  language   TEXT    NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE subscriptions (
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
  state         TEXT    NOT NULL CHECK (state IN ('pending', 'active', 'paused', 'left')),
  cadence       TEXT    NOT NULL CHECK (cadence IN ('daily', 'weekly', 'immediate')),
  slot          TEXT    NOT NULL DEFAULT '',
  sections      INTEGER NOT NULL DEFAULT 0, -- a mask of sections.bit; 0 is every section
  joined_at     INTEGER,
  left_at       INTEGER,
  paused_until  INTEGER,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  PRIMARY KEY (newsletter_id, subscriber_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_by_subscriber ON subscriptions (subscriber_id);

-- The words of consent, each version once.
CREATE TABLE consent_words (
  id       INTEGER PRIMARY KEY,
  language TEXT    NOT NULL,
  version  TEXT    NOT NULL,
  words    TEXT    NOT NULL,
  UNIQUE (language, version, words)
) STRICT;

-- What happened to a subscription: appended, never changed (GDPR 7(1)).
CREATE TABLE subscription_events (
  id            INTEGER PRIMARY KEY,
  subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  kind          TEXT    NOT NULL,
  at            INTEGER NOT NULL,
  channel       TEXT    NOT NULL,
  page          TEXT    NOT NULL DEFAULT '',
  placement     TEXT    NOT NULL DEFAULT '',
  ip            TEXT    NOT NULL DEFAULT '',
  user_agent    TEXT    NOT NULL DEFAULT '',
  actor         TEXT    NOT NULL DEFAULT '',
  note          TEXT    NOT NULL DEFAULT '',
  words_id      INTEGER REFERENCES consent_words (id),
  edition_id    INTEGER
) STRICT;
CREATE INDEX subscription_events_by_subscriber ON subscription_events (subscriber_id, id);

-- One request to subscribe, which its confirmation token names. The token is an HMAC over
-- the row's id and nonce; it is not stored.
CREATE TABLE signups (
  id            INTEGER PRIMARY KEY,
  subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
  nonce         BLOB    NOT NULL,
  email         TEXT    NOT NULL, -- as the form wrote it; this and the next two are the subscriber's once it is confirmed
  name          TEXT    NOT NULL DEFAULT '',
  time_zone     TEXT    NOT NULL DEFAULT '',
  page          TEXT    NOT NULL DEFAULT '',
  placement     TEXT    NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  confirmed_at  INTEGER
) STRICT;
CREATE INDEX signups_by_subscriber ON signups (subscriber_id, created_at);

CREATE TABLE signup_newsletters (
  signup_id     INTEGER NOT NULL REFERENCES signups (id),
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  cadence       TEXT    NOT NULL,
  slot          TEXT    NOT NULL DEFAULT '',
  sections      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (signup_id, newsletter_id)
) STRICT, WITHOUT ROWID;

-- The outbox of transactional mail. A mail is composed at hand-over; nothing secret is here.
CREATE TABLE mails (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL CHECK (kind IN ('confirm', 'already')),
  subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
  signup_id     INTEGER REFERENCES signups (id),
  state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 8),
  attempts      INTEGER NOT NULL DEFAULT 0,
  doubts        INTEGER NOT NULL DEFAULT 0,
  not_before    INTEGER NOT NULL,
  next_try      INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  code          INTEGER NOT NULL DEFAULT 0,
  enhanced      TEXT    NOT NULL DEFAULT '',
  reply         TEXT    NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX mails_due ON mails (next_try) WHERE state IN (1, 5);
CREATE INDEX mails_sending ON mails (id) WHERE state = 2;
CREATE INDEX mails_by_subscriber ON mails (subscriber_id, created_at);

-- How often something was done in a window of time, to hold abuse down.
CREATE TABLE rate_counters (
  bucket     TEXT    NOT NULL, -- "client:192.0.2.7"
  window_at  INTEGER NOT NULL, -- the start of the window
  count      INTEGER NOT NULL,
  PRIMARY KEY (bucket, window_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX rate_counters_by_window ON rate_counters (window_at);

-- Addresses that must not be mailed, as keyed hashes.
CREATE TABLE suppressions (
  hash       BLOB    NOT NULL PRIMARY KEY,
  reason     TEXT    NOT NULL,
  note       TEXT    NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The sources of the mail templates, each set once.
CREATE TABLE template_sets (
  hash    TEXT NOT NULL PRIMARY KEY,
  content TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE editions (
  id            INTEGER PRIMARY KEY,
  newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
  cadence       TEXT    NOT NULL,
  local_date    TEXT    NOT NULL, -- 2026-11-22
  slot          TEXT    NOT NULL,
  state         TEXT    NOT NULL CHECK (state IN ('draft', 'frozen', 'sending', 'sent', 'skipped', 'paused', 'cancelled', 'expired')),
  reason        TEXT    NOT NULL DEFAULT '',
  due_at        INTEGER NOT NULL,
  as_of         INTEGER NOT NULL,
  hash          TEXT    NOT NULL DEFAULT '',
  subject       TEXT    NOT NULL DEFAULT '',
  articles      INTEGER NOT NULL DEFAULT 0,
  on_doubt      TEXT    NOT NULL DEFAULT 'resend' CHECK (on_doubt IN ('resend', 'hold')),
  planned       INTEGER NOT NULL DEFAULT 0,
  planned_to    INTEGER NOT NULL DEFAULT 0, -- planning has reached this subscriber
  planned_at    INTEGER,                    -- planning was finished
  created_at    INTEGER NOT NULL,
  started_at    INTEGER,
  finished_at   INTEGER,
  expires_at    INTEGER NOT NULL,
  UNIQUE (newsletter_id, cadence, local_date, slot)
) STRICT;
CREATE INDEX editions_open ON editions (id) WHERE state IN ('frozen', 'sending');
CREATE INDEX editions_by_as_of ON editions (as_of);

-- Everything that goes into an edition's bytes; the templates are interned.
CREATE TABLE edition_snapshots (
  edition_id     INTEGER NOT NULL PRIMARY KEY REFERENCES editions (id),
  snapshot       TEXT    NOT NULL, -- JSON
  templates_hash TEXT    NOT NULL REFERENCES template_sets (hash)
) STRICT;

-- The edition's blocks in order, as frozen.
CREATE TABLE blocks (
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  position   INTEGER NOT NULL,
  kind       TEXT    NOT NULL CHECK (kind IN ('article', 'note', 'sponsor')),
  article_id INTEGER REFERENCES articles (id),
  PRIMARY KEY (edition_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_by_article ON blocks (article_id);

-- Why each article that was considered was taken or left.
CREATE TABLE edition_articles (
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  article_id INTEGER NOT NULL REFERENCES articles (id),
  verdict    TEXT    NOT NULL,
  PRIMARY KEY (edition_id, article_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE variants (
  id         INTEGER PRIMARY KEY,
  edition_id INTEGER NOT NULL REFERENCES editions (id),
  articles   TEXT    NOT NULL, -- the article ids in order, comma-separated: what the variant is a function of
  subject    TEXT    NOT NULL,
  preheader  TEXT    NOT NULL,
  message    BLOB    NOT NULL, -- composed, with places for what is personal
  hash       TEXT    NOT NULL, -- of the message
  UNIQUE (edition_id, articles)
) STRICT;

CREATE TABLE variant_articles (
  variant_id INTEGER NOT NULL REFERENCES variants (id),
  article_id INTEGER NOT NULL REFERENCES articles (id),
  PRIMARY KEY (variant_id, article_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX variant_articles_by_article ON variant_articles (article_id);

-- The ledger. States: 1 waiting, 2 sending, 3 accepted, 4 refused, 5 deferred, 6 in doubt,
-- 7 expired, 8 withheld.
CREATE TABLE deliveries (
  edition_id    INTEGER NOT NULL REFERENCES editions (id),
  subscriber_id INTEGER NOT NULL,
  variant_id    INTEGER,
  state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 8),
  reason        TEXT,
  attempts      INTEGER NOT NULL DEFAULT 0,
  doubts        INTEGER NOT NULL DEFAULT 0,
  doubted_at    INTEGER,
  not_before    INTEGER NOT NULL,
  next_try      INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  code          INTEGER,
  enhanced      TEXT,
  reply_id      INTEGER,
  relay_id      INTEGER,
  updated_at    INTEGER NOT NULL,
  PRIMARY KEY (edition_id, subscriber_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_deferred ON deliveries (edition_id, next_try) WHERE state = 5;
CREATE INDEX deliveries_sending ON deliveries (edition_id) WHERE state = 2;
CREATE INDEX deliveries_in_doubt ON deliveries (edition_id) WHERE state = 6;

CREATE TABLE replies (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE relays (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- What staff and the schedule did: appended, never changed.
CREATE TABLE desk_events (
  id            INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  actor         TEXT    NOT NULL,
  action        TEXT    NOT NULL,
  newsletter_id INTEGER,
  edition_id    INTEGER,
  detail        TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX desk_events_by_edition ON desk_events (edition_id);

-- API tokens of staff, as SHA-256.
CREATE TABLE tokens (
  id           INTEGER PRIMARY KEY,
  name         TEXT    NOT NULL,
  prefix       TEXT    NOT NULL,
  hash         BLOB    NOT NULL UNIQUE,
  scopes       TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at   INTEGER
) STRICT;
-- +goose StatementEnd
