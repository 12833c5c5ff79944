package store

// Ids that links and return paths name are never given out twice: not when the last row is
// deleted, and not when the database comes back from a backup. So the next one is above the
// highest row and above the floor. To look for it costs about a microsecond.
const (
	nextSubscriber = `(SELECT CASE WHEN t.top < f.floor THEN f.floor ELSE t.top END + 1
		FROM (SELECT COALESCE(MAX(id), 0) AS top FROM subscribers) t, id_floors f WHERE f.name = 'subscribers')`
	nextMail = `(SELECT CASE WHEN t.top < f.floor THEN f.floor ELSE t.top END + 1
		FROM (SELECT COALESCE(MAX(id), 0) AS top FROM mails) t, id_floors f WHERE f.name = 'mails')`
)

// raiseFloor has the rows of a table numbered on from above an id, and above all that are
// there, with a gap.
func (t *tx) raiseFloor(table string, above, gap int64) error {
	var top int64
	if err := t.row(`SELECT COALESCE(MAX(id), 0) FROM ` + table).Scan(&top); err != nil {
		return err
	}
	floor := max(above, top) + gap
	_, err := t.exec(`UPDATE id_floors SET floor = $1 WHERE name = $2 AND floor < $1`, floor, table)
	return err
}
