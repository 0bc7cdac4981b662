"""Peer of the rows `join` and `online`: a Feast repository over the Parquet files that `almanac features materialize` wrote.

    repository.py FOLDER VIEW-FOLDER ENGINE DAYS [--materialize]

FOLDER is made anew: feature_store.yaml, a local registry, one entity `team`, one view with every feature of the files, one
feature service of it. ENGINE is Feast's offline store: dask (its default for files) or duckdb. --materialize fills the online
store, Feast's default (SQLite). DAYS is the view's time to live: older rows do not count; 0: any age.
"""

import json
import shutil
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow.parquet
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.data_format import ParquetFormat
from feast.types import Float32
from feast.value_type import ValueType

VIEW, SERVICE = "form", "form_service"
CONFIGURATION = """project: bench
provider: local
registry:
  path: data/registry.db
  cache_ttl_seconds: 0
offline_store:
  type: {engine}
online_store:
  type: sqlite
  path: data/online_store.db
entity_key_serialization_version: 3
"""


def features_of(source):
    schema = pyarrow.parquet.read_schema(next(source.glob("*/*.parquet")))
    return [field.name for field in schema if field.name not in ("team", "event_timestamp")]


def objects(source, engine, days):
    path = str(source) if engine == "dask" else f"{source}/*/*.parquet"  # a folder of parts, as either engine reads it
    files = FileSource(name="form_files", path=path, timestamp_field="event_timestamp", file_format=ParquetFormat())
    team = Entity(name="team", join_keys=["team"], value_type=ValueType.INT64)
    view = FeatureView(name=VIEW, entities=[team], ttl=timedelta(days=days), source=files, online=True,
                       schema=[Field(name=name, dtype=Float32) for name in features_of(source)])
    return [files, team, view, FeatureService(name=SERVICE, features=[view])]


def main():
    folder, source, engine = Path(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3]
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(CONFIGURATION.format(engine=engine))
    store = FeatureStore(repo_path=str(folder))
    store.apply(objects(source, engine, int(sys.argv[4])))
    begin = time.perf_counter()
    if "--materialize" in sys.argv:
        store.materialize(datetime(1970, 1, 2, tzinfo=timezone.utc), datetime.now(timezone.utc) + timedelta(days=1))
    print(json.dumps({"features": features_of(source), "materialize_s": round(time.perf_counter() - begin, 2)}))


if __name__ == "__main__":
    main()
