"""Peer of the row `online`: what Feast's online store holds for every team, to be compared with ours.

    online.py REPOSITORY DATABASE OUTPUT.json

OUTPUT: {"features": [names], "teams": {id: [values, null where missing]}, "names": {id: "Country/Name"}}; teams without a
match are left out.
"""

import json
import math
import sqlite3
import sys

import repository
from feast import FeatureStore


def main():
    connection = sqlite3.connect(f"file:{sys.argv[2]}?mode=ro", uri=True)
    names = {row[0]: f"{row[1]}/{row[2]}" for row in connection.execute(
        "SELECT id, country, name FROM team WHERE id IN (SELECT home_id FROM match WHERE state = 1 UNION SELECT away_id FROM match "
        "WHERE state = 1)")}
    store = FeatureStore(repo_path=sys.argv[1])
    answer = store.get_online_features(features=store.get_feature_service(repository.SERVICE),
                                       entity_rows=[{"team": team} for team in names]).to_dict()
    features = [name for name in answer if name != "team"]
    teams = {}
    for i, team in enumerate(answer["team"]):
        values = [answer[name][i] for name in features]
        teams[team] = [None if value is None or math.isnan(value) else value for value in values]
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        json.dump({"features": features, "teams": teams, "names": names}, file)


if __name__ == "__main__":
    main()
