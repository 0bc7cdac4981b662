/* Schema step 1: football. Days are days since 1970 (local date), times UTC microseconds, all numbers of a match NULL
 * where the source has none.
 *
 * match    natural key (league, day, home, away); source ids are unique where there are any.
 * price    one row per set of prices, keyed by (match, quote): a set is read and written as a whole, and rows of new
 *          matches are always appended at the end of the tree. The view price_selection shows single selections.
 *          No foreign key: it would cost a look-up per row of the largest table; prices are only written together with
 *          their match, and a trigger removes them with it.
 * import_* what was read: one row per file, its issues (runs of lines) and counts by reason. */
#include "store/migrations.h"

const char *const migration_0001[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",

    "CREATE TABLE team("
    "id INTEGER PRIMARY KEY, country TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, "
    "UNIQUE(country, name_key))",

    "CREATE TABLE team_alias("
    "country TEXT NOT NULL, name_key TEXT NOT NULL, team_id INTEGER NOT NULL REFERENCES team(id), name TEXT "
    "NOT NULL, "
    "from_day INTEGER NOT NULL DEFAULT -1000000, to_day INTEGER NOT NULL DEFAULT 1000000, "
    "PRIMARY KEY(country, name_key, from_day)) WITHOUT ROWID",

    "CREATE TABLE import_file("
    "id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, size_bytes INTEGER NOT NULL, "
    "rows_read INTEGER NOT NULL, rows_kept INTEGER NOT NULL, imported_us INTEGER NOT NULL, error TEXT)",
    "CREATE INDEX import_file_by_hash ON import_file(hash)",

    "CREATE TABLE import_issue("
    "file_id INTEGER NOT NULL REFERENCES import_file(id), number INTEGER NOT NULL, reason TEXT NOT NULL, "
    "line INTEGER NOT NULL, line_last INTEGER NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL, "
    "PRIMARY KEY(file_id, number)) WITHOUT ROWID",

    "CREATE TABLE import_count("
    "file_id INTEGER NOT NULL REFERENCES import_file(id), reason TEXT NOT NULL, count INTEGER NOT NULL, "
    "PRIMARY KEY(file_id, reason)) WITHOUT ROWID",

    "CREATE TABLE match("
    "id INTEGER PRIMARY KEY, league TEXT NOT NULL, day INTEGER NOT NULL, "
    "home_id INTEGER NOT NULL REFERENCES team(id), away_id INTEGER NOT NULL REFERENCES team(id), "
    "season INTEGER NOT NULL, kickoff_us INTEGER NOT NULL, time_known INTEGER NOT NULL, kickoff_text TEXT, "
    "state INTEGER NOT NULL DEFAULT 0, is_neutral INTEGER NOT NULL DEFAULT 0, "
    "home_goals INTEGER, away_goals INTEGER, home_half INTEGER, away_half INTEGER, "
    "home_shots INTEGER, away_shots INTEGER, home_shots_on_target INTEGER, away_shots_on_target INTEGER, "
    "home_corners INTEGER, away_corners INTEGER, home_fouls INTEGER, away_fouls INTEGER, "
    "home_yellows INTEGER, away_yellows INTEGER, home_reds INTEGER, away_reds INTEGER, "
    "source_id TEXT, file_id INTEGER, "
    "UNIQUE(league, day, home_id, away_id))",
    "CREATE UNIQUE INDEX match_by_source_id ON match(source_id) WHERE source_id IS NOT NULL",

    "CREATE TABLE quote("
    "id INTEGER PRIMARY KEY, market TEXT NOT NULL, bookmaker TEXT NOT NULL, label TEXT NOT NULL, "
    "UNIQUE(market, bookmaker, label))",

    "CREATE TABLE price("
    "match_id INTEGER NOT NULL, quote_id INTEGER NOT NULL, price_1 REAL, price_2 REAL, price_3 REAL, "
    "handicap REAL, "
    "is_flagged INTEGER NOT NULL DEFAULT 0, captured_at INTEGER, "
    "PRIMARY KEY(match_id, quote_id)) WITHOUT ROWID",
    "CREATE TRIGGER match_deleted AFTER DELETE ON match BEGIN DELETE FROM price WHERE match_id = old.id; END",

    "CREATE VIEW price_selection AS "
    "SELECT p.match_id, q.market, s.selection, q.bookmaker, q.label, "
    "CASE s.number WHEN 1 THEN p.price_1 WHEN 2 THEN p.price_2 ELSE p.price_3 END AS odds, "
    "p.handicap, p.is_flagged, p.captured_at "
    "FROM price p JOIN quote q ON q.id = p.quote_id "
    "JOIN (SELECT '1x2' AS market, 1 AS number, 'home' AS selection UNION ALL SELECT '1x2', 2, 'draw' "
    "UNION ALL SELECT '1x2', 3, 'away' UNION ALL SELECT 'ou25', 1, 'under' UNION ALL SELECT 'ou25', 2, "
    "'over' "
    "UNION ALL SELECT 'ah', 1, 'home' UNION ALL SELECT 'ah', 2, 'away') s ON s.market = q.market "
    "WHERE CASE s.number WHEN 1 THEN p.price_1 WHEN 2 THEN p.price_2 ELSE p.price_3 END IS NOT NULL",
    NULL,
};
