"""join: point-in-time features of 100,000 (team, moment) rows, against Feast's get_historical_features from the same Parquet."""

from pathlib import Path

import common

NAME, ORDER = "join", 11
VIEW, ROWS, CHUNK, FEW = "form", 100000, 20000, 2000
MAX_AGE_DAYS = 90
WANTED = 10


def materialized(bench):
    """The Parquet that both read."""
    store = bench.store()
    common.measure([common.BINARY, "features", "materialize", "--view", VIEW, "--data-dir", store])
    found = sorted(store.glob(f"**/{VIEW}@*/view.json"))
    if len(found) != 1:
        raise common.Failed(f"{len(found)} versions of the view {VIEW}")
    return found[0].parent


def repository(bench, name, source, engine, days, *more):
    """A Feast repository; returns its folder and what repository.py says."""
    Path(FEAST["HOME"]).mkdir(exist_ok=True)
    folder = common.WORK / f"feast-{name}"
    made = common.measure(bench.peer("peer_feast", "repository.py", folder, source, engine, days, *more), **FEAST)
    return folder, common.last_json(made)


# HOME: its server puts a socket there
FEAST = {"FEAST_USAGE": "False", "PYTHONWARNINGS": "ignore", "HOME": str(common.WORK / "feast-home")}


def entities(bench, rows):
    path = common.WORK / f"entities-{rows}.parquet"
    common.measure(bench.peer("peer_feast", "entities.py", "make", bench.store() / "almanac.db", rows, path))
    return path


class Case:
    """One join, by both: how many rows, how old features may be (0: any age), Feast's engine."""

    def __init__(self, bench, source, rows, days, engine, chunk):
        self.bench, self.rows, self.days, self.engine = bench, rows, days, engine
        self.folder, _ = repository(bench, f"{engine}-{days}", source, engine, days)
        self.entities, name = entities(bench, rows), f"{rows}-{days}-{engine}"
        self.mine, self.theirs = common.WORK / f"join-{name}-ours.parquet", common.WORK / f"join-{name}-peer.parquet"
        self.ours = [common.BINARY, "features", "get", "--view", VIEW, "--entities", self.entities, "--output", self.mine,
                     "--max-age-days", days, "--data-dir", bench.store()]
        self.peer = bench.peer("peer_feast", "join.py", self.folder, self.entities, self.theirs, chunk)

    def run_ours(self):
        return common.measure(self.ours)

    def run_peer(self):
        measured = common.measure(self.peer, **FEAST)
        return {**measured, **common.last_json(measured)}

    def check(self):
        self.run_ours()
        first = self.run_peer()
        found = common.last_json(common.measure(self.bench.peer("peer_feast", "entities.py", "compare", self.mine, self.theirs)))
        if found["rows"] != self.rows:
            raise common.Failed(f"{found['rows']} rows of {self.rows}")
        return found, first

    def lines(self, checked, runs, what, first, bounded):
        """first: the run of the check is the only one of the peer, as it takes minutes; None: in turn."""
        if first:
            results = {"ours": [self.run_ours() for _ in range(runs)], "peer": [first]}
        else:
            results = common.alternate(runs, ours=self.run_ours, peer=self.run_peer)
        mine, theirs = common.median(results["ours"], "wall_s"), common.median(results["peer"], "total_s")
        whole, ours_mb, peer_mb = (common.median(results[side], key) for side, key in (("peer", "wall_s"), ("ours", "peak_mb"),
                                                                                      ("peer", "peak_mb")))
        ratio = theirs / mine
        out = [common.line(f"{self.rows:,} rows, {what}, Feast's {self.engine} engine", f"{mine:.2f} s", f"{theirs:.2f} s", f"{ratio:.1f}x",
                           f"{WANTED}x" if bounded else "", ratio >= WANTED if bounded else None, checked,
                           [common.shown(self.ours), common.shown(self.peer)])]
        if bounded:
            out.append(common.line("of these: whole process; peak memory", f"{mine:.2f} s; {ours_mb:.0f} MB", f"{whole:.2f} s; {peer_mb:.0f} MB",
                                   f"{whole / mine:.1f}x; {peer_mb / ours_mb:.1f}x", "", None, checked, []))
        return out


def checked_text(case, found):
    age = f"at most {case.days} days old" if case.days else "of any age"
    return (f"{found['rows']:,} rows x {found['columns']} features {age}: {found['values']:,} values are equal to the bit, {found['missing']:,} "
            f"are missing on both sides (Feast's {case.engine} engine).")


def run(bench):
    source = materialized(bench)
    lines = []
    for rows, days, engine, chunk, what in (
            (ROWS, MAX_AGE_DAYS, "duckdb", ROWS, f"features at most {MAX_AGE_DAYS} days old"),
            (ROWS, 0, "duckdb", CHUNK, f"features of any age, {CHUNK:,} at a time"), (FEW, 0, "dask", FEW, "features of any age")):
        case = Case(bench, source, rows, days, engine, chunk)
        found, first = case.check()
        lines += case.lines(checked_text(case, found), bench.runs, what, first if days == 0 else None, engine == "duckdb")
    return lines
