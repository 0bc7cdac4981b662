"""What the peers of the rows `matrix` and `features` start from: one row per match, in the order of our matrix, as Parquet. Not timed.

    prepare.py DATABASE PARQUET

Dense team ids, whole numbers and prices as columns: nothing is computed here that is a feature.
"""

import sqlite3
import sys

import polars

# Code of the league: (country, tier), countries numbered as in src/football/league_list.h.
COUNTRIES = [("England", "E0 E1 E2 E3 EC"), ("Scotland", "SC0 SC1 SC2 SC3"), ("Germany", "D1 D2"), ("Italy", "I1 I2"),
             ("Spain", "SP1 SP2"), ("France", "F1 F2"), ("Netherlands", "N1"), ("Belgium", "B1"), ("Portugal", "P1"),
             ("Turkey", "T1"), ("Greece", "G1")]
STATISTICS = ["shots", "shots_on_target", "corners", "fouls", "yellows", "reds"]
BOOKS = {"avg": ["Avg", "BbAv"], "b365": ["B365"], "ps": ["PS"], "max": ["Max", "BbMx"]}


def read_matches(database):
    columns = ["id", "league", "day", "season", "kickoff_us", "time_known", "home_id", "away_id", "state", "is_neutral",
               "home_goals", "away_goals"]
    columns += [f"{side}_{name}" for name in STATISTICS for side in ("home", "away")]
    types = {name: polars.String if name == "league" else polars.Int64 for name in columns}
    rows = database.execute(f"SELECT {', '.join(columns)} FROM match WHERE state IN (0, 1)").fetchall()
    return polars.DataFrame(rows, schema=types, orient="row")


def read_prices(database, market, count):
    names = [name for books in BOOKS.values() for name in books]
    rows = database.execute(
        "SELECT p.match_id, q.bookmaker, p.price_1, p.price_2, p.price_3 FROM price p JOIN quote q ON q.id = p.quote_id "
        f"WHERE q.label = 'pre_close' AND q.market = ? AND q.bookmaker IN ({','.join('?' * len(names))})",
        [market, *names],
    ).fetchall()
    types = {"id": polars.Int64, "bookmaker": polars.String, "1": polars.Float32, "2": polars.Float32, "3": polars.Float32}
    long = polars.DataFrame(rows, schema=types, orient="row")
    wide = None
    for book, spellings in BOOKS.items():
        part = long.filter(polars.col("bookmaker").is_in(spellings)).unique("id", keep="last")
        part = part.select("id", *[polars.col(str(i)).alias(f"{book}_{market}_{i}") for i in range(1, count + 1)])
        wide = part if wide is None else wide.join(part, on="id", how="full", coalesce=True)
    return wide


def known_s():
    """When a result can be used: 2 h 15 min after a known kick-off, else at the end of the day in London."""
    day_end = polars.from_epoch(polars.col("day") + 1, time_unit="d").cast(polars.Datetime("us"))
    day_end = day_end.dt.replace_time_zone("Europe/London").dt.epoch("s")
    return polars.when(polars.col("time_known") == 1).then(polars.col("kickoff_us") // 1_000_000 + 135 * 60).otherwise(day_end)


def main():
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    stream = {code: i for i, (_, codes) in enumerate(COUNTRIES) for code in codes.split()}
    tier = {code: i + 1 for _, codes in COUNTRIES for i, code in enumerate(codes.split())}
    division = {code: i for i, code in enumerate(stream)}
    matches = read_matches(database).filter(polars.col("league").is_in(list(stream)))
    matches = matches.with_columns(
        stream=polars.col("league").replace_strict(stream, return_dtype=polars.Int32),
        tier=polars.col("league").replace_strict(tier, return_dtype=polars.Int32),
        division=polars.col("league").replace_strict(division, return_dtype=polars.Int32),
        start_s=polars.col("kickoff_us") // 1_000_000,
        known_s=known_s(),
    )
    matches = matches.join(read_prices(database, "1x2", 3), on="id", how="left")
    matches = matches.join(read_prices(database, "ou25", 2), on="id", how="left")
    teams = polars.concat([matches["home_id"], matches["away_id"]]).unique().sort()
    dense = dict(zip(teams.to_list(), range(len(teams))))
    matches = matches.with_columns(
        polars.col("^(home|away)_(goals|shots|shots_on_target|corners|fouls|yellows|reds)$").cast(polars.Int32),
        home=polars.col("home_id").replace_strict(dense, return_dtype=polars.Int32),
        away=polars.col("away_id").replace_strict(dense, return_dtype=polars.Int32),
        is_played=(polars.col("state") == 1) & polars.col("home_goals").is_not_null() & polars.col("away_goals").is_not_null(),
    )
    matches.sort("kickoff_us", "stream", "id").write_parquet(sys.argv[2])


if __name__ == "__main__":
    main()
