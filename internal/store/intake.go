package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// SaveFetch takes in what a source gave, all of it or nothing. It can be repeated, and two
// processes can do it at once, and each story stays one article:
//
//   - an item is known by its canonical URL, whatever the source, or else by its guid within
//     the source; a guid that the feed uses for several items identifies none of them;
//   - a new one is admitted by newsletter.Admit;
//   - the text of a known one is updated by the source that it was first seen in, or by
//     another once nobody takes articles from that one; the earlier text is kept.
//
// A fetch that began before the last one that was recorded can only add articles: its texts
// may be the older ones.
func (s *Store) SaveFetch(ctx context.Context, sourceID int64, items []newsletter.Item, meta newsletter.FetchMeta, now time.Time) (newsletter.Intake, error) {
	var result newsletter.Intake
	err := s.write(ctx, func(t *tx) error {
		src, err := sourceByID(t, sourceID)
		if err != nil {
			return err
		}
		in := intake{tx: t, source: src, now: now, first: src.LastOKAt.IsZero(), late: startedBefore(meta.Started, src),
			ambiguous: repeatedGUIDs(items), taken: map[int64]bool{}}
		for _, item := range oldestFirst(items) {
			if err := in.take(item); err != nil {
				return fmt.Errorf("item %s: %w", item.GUID, err)
			}
		}
		in.result.TurnedOver = !in.first && src.Items > 0 && len(items) > 0 && !in.shared
		result = in.result
		if in.late {
			return nil
		}
		return in.saveSource(meta, len(items))
	})
	if err != nil {
		return newsletter.Intake{}, fmt.Errorf("take in source %d: %w", sourceID, err)
	}
	return result, nil
}

// intake is one fetch being taken in.
type intake struct {
	*tx
	source    newsletter.Source
	now       time.Time
	first     bool            // the source never had a good fetch before
	late      bool            // a fetch that began after this one is saved already
	ambiguous map[string]bool // guids that this feed uses more than once
	taken     map[int64]bool  // articles that an item of this fetch was taken for
	shared    bool            // an item was known from this source before
	result    newsletter.Intake
}

func repeatedGUIDs(items []newsletter.Item) map[string]bool {
	seen := make(map[string]bool, len(items)) // true: more than once
	for _, item := range items {
		_, again := seen[item.GUID]
		seen[item.GUID] = again
	}
	return seen
}

// oldestFirst returns the items in the order in which to take them in: feeds begin with the
// newest, and a list of articles goes by when they came in. Where several have one address,
// the first of the feed comes first and counts.
func oldestFirst(items []newsletter.Item) []newsletter.Item {
	list := make([]newsletter.Item, 0, len(items))
	var again []newsletter.Item
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		if seen[item.URL] {
			again = append(again, item)
			continue
		}
		seen[item.URL] = true
		list = append(list, item)
	}
	slices.Reverse(list)
	return append(list, again...)
}

// take takes in one item.
func (in *intake) take(item newsletter.Item) error {
	guid := item.GUID
	if in.ambiguous[guid] {
		guid = item.URL
	}
	byURL, err := in.find(`SELECT id FROM articles WHERE url = $1`, item.URL)
	if err != nil {
		return err
	}
	byGUID, err := in.find(`SELECT article_id FROM article_sources WHERE source_id = $1 AND guid = $2`, in.source.ID, guid)
	if err != nil {
		return err
	}
	switch {
	case byURL == 0 && byGUID == 0:
		return in.admit(item, guid)
	case byURL == 0:
		in.known(byGUID)
		return in.update(byGUID, item)
	}
	if err := in.attach(byURL, byGUID, guid); err != nil {
		return err
	}
	return in.update(byURL, item)
}

// find returns the id that the query finds, or 0.
func (in *intake) find(query string, args ...any) (int64, error) {
	var id int64
	err := in.row(query, args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// admit adds a new article.
func (in *intake) admit(item newsletter.Item, guid string) error {
	a := newsletter.Admit(item, in.first, in.now)
	sent, err := sentBefore(in.tx, item.URL, in.source.ID, guid)
	if err != nil {
		return err
	}
	if sent {
		a.Baseline, a.Hold, a.OwedFrom = true, "", time.Time{}
	}
	id, err := in.insert(`INSERT INTO articles (source_id, guid, url, headline, summary, author, image_url, image_alt, label,
			published_at, revised_at, first_seen, owed_from, hold, baseline, hash, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $12) RETURNING id`,
		in.source.ID, guid, a.URL, a.Headline, a.Summary, a.Author, a.Image.URL, a.Image.Alt, a.Label,
		nullMillis(a.Published), nullMillis(a.Updated), millis(a.FirstSeen), nullMillis(a.OwedFrom), string(a.Hold), flag(a.Baseline), item.Hash())
	if err != nil {
		return err
	}
	in.taken[id] = true
	in.result.Count(a, in.now)
	if err := in.addCategories(id, item.Categories); err != nil {
		return err
	}
	return in.point(guid, id)
}

// point records under which guid the source carries the article.
func (in *intake) point(guid string, articleID int64) error {
	_, err := in.exec(`INSERT INTO article_sources (source_id, guid, article_id, seen_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (source_id, guid) DO UPDATE SET article_id = excluded.article_id`,
		in.source.ID, guid, articleID, millis(in.now))
	return err
}

// maxGUIDs is how many guids are kept for one article in one source. Feeds that make up new
// ones each time exist, and the URL identifies the article as well.
const maxGUIDs = 8

// attach sees to it that the source carries the article which the item's URL names. byGUID is
// the article that the guid meant so far, or 0.
func (in *intake) attach(id, byGUID int64, guid string) error {
	if byGUID == id {
		in.known(id)
		return nil
	}
	var guids int
	err := in.row(`SELECT COUNT(*) FROM article_sources WHERE article_id = $1 AND source_id = $2`, id, in.source.ID).Scan(&guids)
	if err != nil {
		return err
	}
	if guids > 0 {
		in.known(id)
	}
	if guids >= maxGUIDs {
		return nil
	}
	return in.point(guid, id)
}

// known notes that this source carried the article before this fetch.
func (in *intake) known(id int64) {
	if !in.taken[id] {
		in.shared = true
	}
}

// update brings a known article to what the item says now.
func (in *intake) update(id int64, item newsletter.Item) error {
	again := in.taken[id]
	in.taken[id] = true
	if again || in.late {
		in.result.Known++
		return nil
	}
	before, err := article(in.tx, id)
	if err != nil {
		return err
	}
	owner, err := in.owns(before)
	if err != nil {
		return err
	}
	if !owner {
		in.result.Known++
		return in.addCategories(id, item.Categories)
	}
	return in.revise(before, item)
}

// owns reports whether this source decides about the article's text. Otherwise two feeds
// that carry a story with different summaries would change it for ever.
func (in *intake) owns(a newsletter.Article) (bool, error) {
	if a.SourceID == in.source.ID {
		return true, nil
	}
	var attached int
	err := in.row(`SELECT COUNT(*) FROM newsletter_sources WHERE source_id = $1`, a.SourceID).Scan(&attached)
	return attached == 0, err
}

// revise saves what changed of an article, and keeps the text that it had.
func (in *intake) revise(before newsletter.Article, item newsletter.Item) error {
	var stored string
	if err := in.row(`SELECT hash FROM articles WHERE id = $1`, before.ID).Scan(&stored); err != nil {
		return err
	}
	after := newsletter.Redate(before, item.Published, in.now)
	changed := stored != item.Hash()
	moved := !after.OwedFrom.Equal(before.OwedFrom) || after.Hold != before.Hold
	if item.Updated.IsZero() {
		item.Updated = before.Updated
	}
	if changed {
		if err := in.keepRevision(before, stored); err != nil {
			return err
		}
		if err := in.replaceCategories(before.ID, item.Categories); err != nil {
			return err
		}
		after.UpdatedAt = in.now
	}
	if changed || moved {
		in.result.Updated++
	} else {
		in.result.Known++
		if millis(after.Published) == millis(before.Published) && millis(item.Updated) == millis(before.Updated) && before.SourceID == in.source.ID {
			return nil
		}
	}
	_, err := in.exec(`UPDATE articles SET source_id = $1, url = $2, headline = $3, summary = $4, author = $5,
			image_url = $6, image_alt = $7, label = $8, published_at = $9, revised_at = $10,
			owed_from = $11, hold = $12, hash = $13, updated_at = $14 WHERE id = $15`,
		in.source.ID, item.URL, item.Headline, item.Summary, item.Author,
		item.Image.URL, item.Image.Alt, item.Label, nullMillis(after.Published), nullMillis(item.Updated),
		nullMillis(after.OwedFrom), string(after.Hold), item.Hash(), millis(after.UpdatedAt), before.ID)
	return err
}

// maxRevisions is how many earlier texts of an article are kept, the latest ones. A text that
// comes back again and again is kept once.
const maxRevisions = 50

func (in *intake) keepRevision(a newsletter.Article, hash string) error {
	item, err := encodeItem(a.Item)
	if err != nil {
		return err
	}
	_, err = in.exec(`DELETE FROM article_revisions WHERE article_id = $1 AND hash = $2`, a.ID, hash)
	if err != nil {
		return err
	}
	_, err = in.exec(`INSERT INTO article_revisions (article_id, replaced_at, hash, item) VALUES ($1, $2, $3, $4)`,
		a.ID, millis(in.now), hash, item)
	if err != nil {
		return err
	}
	_, err = in.exec(`DELETE FROM article_revisions WHERE article_id = $1 AND replaced_at < (
			SELECT MIN(replaced_at) FROM (SELECT replaced_at FROM article_revisions WHERE article_id = $1
				ORDER BY replaced_at DESC LIMIT $2) AS latest)`, a.ID, maxRevisions)
	return err
}

func (in *intake) replaceCategories(articleID int64, list []string) error {
	if _, err := in.exec(`DELETE FROM article_categories WHERE article_id = $1`, articleID); err != nil {
		return err
	}
	return in.addCategories(articleID, list)
}

func (in *intake) addCategories(articleID int64, list []string) error {
	for i, c := range list {
		_, err := in.exec(`INSERT INTO article_categories (article_id, category, position) VALUES ($1, $2, $3)
			ON CONFLICT (article_id, category) DO NOTHING`, articleID, c, i)
		if err != nil {
			return err
		}
	}
	return nil
}

// saveSource records that the source answered well.
func (in *intake) saveSource(meta newsletter.FetchMeta, items int) error {
	next := newsletter.NextFetch(in.now, 0)
	if meta.NotModified {
		_, err := in.exec(`UPDATE sources SET last_fetch_at = $1, last_ok_at = $2, next_fetch_at = $3, etag = $4, last_modified = $5,
			last_error = '', failures = 0 WHERE id = $6`,
			millis(meta.Started), millis(in.now), millis(next), meta.ETag, meta.LastModified, in.source.ID)
		return err
	}
	_, err := in.exec(`UPDATE sources SET last_fetch_at = $1, last_ok_at = $2, next_fetch_at = $3, etag = $4, last_modified = $5,
			last_error = '', failures = 0, items = $6, broken_items = $7, turned_over = $8 WHERE id = $9`,
		millis(meta.Started), millis(in.now), millis(next), meta.ETag, meta.LastModified,
		items, meta.Broken, flag(in.result.TurnedOver), in.source.ID)
	return err
}
