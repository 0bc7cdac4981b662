"""Peer of the row `join`: Feast's point-in-time join.

    join.py REPOSITORY ENTITIES.parquet OUTPUT.parquet CHUNK

CHUNK entities are asked for at a time: Feast pairs every entity with every older row of its team before it keeps the newest,
which is more than 20 GB for 100,000 entities and the whole history. Timed: reading the entities, get_historical_features, and the result as Parquet. Starting Python, importing Feast and opening
its repository are not.
"""

import json
import sys
import time

import pandas
import pyarrow
import pyarrow.parquet
import repository
from feast import FeatureStore


def main():
    store = FeatureStore(repo_path=sys.argv[1])
    service = store.get_feature_service(repository.SERVICE)
    begin = time.perf_counter()
    entities, chunk = pandas.read_parquet(sys.argv[2]), int(sys.argv[4])
    result = pyarrow.concat_tables([
        store.get_historical_features(entity_df=entities.iloc[first : first + chunk], features=service).to_arrow()
        for first in range(0, len(entities), chunk)])
    joined = time.perf_counter()
    pyarrow.parquet.write_table(result, sys.argv[3])
    print(json.dumps({"rows": result.num_rows, "columns": result.num_columns, "join_s": round(joined - begin, 4),
                      "total_s": round(time.perf_counter() - begin, 4)}))


if __name__ == "__main__":
    main()
