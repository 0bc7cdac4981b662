"""Peer of the rows `predict` and `start`: FastAPI and the `lightgbm` package.

    BENCH_FOLDER=... uvicorn service:app --loop uvloop --http httptools --no-access-log [--workers 2]

The same answer as our POST /predict (league, home, away, target -> probabilities and fair odds), from the same model.
It has less to do: the features of every pair are ready in a dict (ours computes them per request from the state of the
trackers), there is one model, no store and no calibration.

Two ways of writing the route, both measured:
- POST /predict         as FastAPI documents it: a pydantic model in, a pydantic model out;
- POST /predict-tuned   bytes in, bytes out, orjson: as little of FastAPI as there can be.
Both have the settings that were fastest here: uvloop and httptools, no access log, async handlers (no hop to a thread
pool), a float32 row and one OpenMP thread (two are slower for one row).
"""

import json
import os

import lightgbm
import numpy
import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

FOLDER = os.environ["BENCH_FOLDER"]
CLASSES = ("home", "draw", "away")


def load():
    with open(f"{FOLDER}/fixtures.json", encoding="utf-8") as file:
        known = json.load(file)
    vectors = numpy.fromfile(f"{FOLDER}/vectors.f32", dtype=numpy.float32).reshape(-1, 1, known["columns"])
    features = {(one["league"], one["home"], one["away"]): vector for one, vector in zip(known["fixtures"], vectors)}
    return lightgbm.Booster(model_file=f"{FOLDER}/model.txt"), features


booster, features = load()
app = FastAPI(openapi_url=None)


def answer(status, body):
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")


def refusal(code, message, field):
    return answer(400, {"error": {"code": code, "message": message, "field": field}})


@app.get("/health")
async def health():
    return answer(200, {"status": "ok", "models": 1, "features_ready": True})


def forecast(vector):
    p = booster.predict(vector, num_threads=1, validate_features=False)[0].tolist()
    return dict(zip(CLASSES, p)), dict(zip(CLASSES, [1 / value for value in p]))


MODEL = {"bot": "lightgbm", "version": "peer", "calibration": "none", "uses_prices": False}


class Fixture(BaseModel):
    league: str
    home: str
    away: str
    target: str = "1x2"


class Match(BaseModel):
    id: int | None = None
    league: str
    home: str
    away: str
    kickoff: str | None = None
    is_played: bool = False


class Model(BaseModel):
    bot: str
    version: str
    calibration: str
    uses_prices: bool


class Answer(BaseModel):
    prediction: dict[str, float] | None
    fair_odds: dict[str, float] | None
    edge: dict[str, float] | None = None
    reason: str | None = None
    target: str
    match: Match
    model: Model | None


@app.post("/predict")
async def predict(fixture: Fixture) -> Answer:
    match = Match(league=fixture.league, home=fixture.home, away=fixture.away)
    vector = features.get((fixture.league, fixture.home, fixture.away))
    if vector is None:
        return Answer(prediction=None, fair_odds=None, reason="unknown teams", target=fixture.target, match=match, model=None)
    prediction, fair_odds = forecast(vector)
    return Answer(prediction=prediction, fair_odds=fair_odds, target=fixture.target, match=match, model=Model(**MODEL))


@app.post("/predict-tuned")
async def predict_tuned(request: Request):
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        return refusal("invalid", str(error), None)
    league, home, away = body.get("league"), body.get("home"), body.get("away")
    if not (isinstance(league, str) and isinstance(home, str) and isinstance(away, str)):
        return refusal("invalid", "league, home and away are needed", "league")
    match = {"id": None, "league": league, "home": home, "away": away, "kickoff": None, "is_played": False}
    vector = features.get((league, home, away))
    if vector is None:
        return answer(200, {"prediction": None, "edge": None, "reason": "unknown teams", "match": match})
    prediction, fair_odds = forecast(vector)
    return answer(200, {"prediction": prediction, "fair_odds": fair_odds, "edge": None, "reason": None, "target": "1x2",
                        "match": match, "model": MODEL})
