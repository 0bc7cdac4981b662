"""The peer's model: LightGBM's package on the rows and with the parameters of our model, hence the same trees.

    make_model.py FOLDER PARAMETERS(JSON)    writes FOLDER/model.txt and FOLDER/expected.json (holdout probabilities)
"""

import json
import sys

import lightgbm
import numpy

folder, parameters = sys.argv[1], json.loads(sys.argv[2])
with open(f"{folder}/fixtures.json", encoding="utf-8") as file:
    known = json.load(file)
x = numpy.fromfile(f"{folder}/x.f32", dtype=numpy.float32).reshape(-1, known["columns"])
y = numpy.fromfile(f"{folder}/y.i32", dtype=numpy.int32)
rounds = parameters.pop("num_iterations")
data = lightgbm.Dataset(x, label=y, params=parameters)
booster = lightgbm.train(parameters, data, num_boost_round=rounds)
booster.save_model(f"{folder}/model.txt")
vectors = numpy.fromfile(f"{folder}/vectors.f32", dtype=numpy.float32).reshape(-1, known["columns"])
p = lightgbm.Booster(model_file=f"{folder}/model.txt").predict(vectors)
with open(f"{folder}/expected.json", "w", encoding="utf-8") as file:
    json.dump([{"id": fixture["id"], "p": list(row)} for fixture, row in zip(known["fixtures"], p)], file)
print(json.dumps({"trees": booster.num_trees(), "rows": len(y)}))
