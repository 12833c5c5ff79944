package store

// Ids that links and return paths name are never given out twice: not when the last row is
// deleted, and not when the database comes back from a backup. So the next one is above the
// highest row and above the floor. To look for it costs about a microsecond.
const (
	nextSubscriber = `(SELECT CASE WHEN t.top < f.floor THEN f.floor ELSE t.top END + 1
		FROM (SELECT COALESCE(MAX(id), 0) AS top FROM subscribers) t, id_floors f WHERE f.name = 'subscribers')`
	nextMail = `(SELECT CASE WHEN t.top < f.floor THEN f.floor ELSE t.top END + 1
		FROM (SELECT COALESCE(MAX(id), 0) AS top FROM mails) t, id_floors f WHERE f.name = 'mails')`
	nextEdition    = `(SELECT MAX(id) + 1 FROM (SELECT COALESCE(MAX(id), 0) AS id FROM editions UNION ALL SELECT floor FROM id_floors WHERE name = 'editions') t)`
	nextNewsletter = `(SELECT MAX(id) + 1 FROM (SELECT COALESCE(MAX(id), 0) AS id FROM newsletters UNION ALL SELECT floor FROM id_floors WHERE name = 'newsletters') t)`
)

// raiseFloor has the rows of a table numbered on from above an id, and above all that are
// there, with a gap.
func (t *tx) raiseFloor(table string, above, gap int64) error {
	var top int64
	if err := t.row(`SELECT COALESCE(MAX(id), 0) FROM ` + table).Scan(&top); err != nil {
		return err
	}
	floor := max(above, top) + gap
	_, err := t.exec(`INSERT INTO id_floors (name, floor) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET floor = excluded.floor WHERE excluded.floor > id_floors.floor`, table, floor)
	return err
}
