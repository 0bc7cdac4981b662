// Against the real program: asked, killed in the middle, started again.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";

import { currentModels, health, job, predict, train } from "../index.js";
import { binary, hasBinary, makeData, startAlmanac } from "../support/almanac_server.js";

const REQUEST = { league: "E0", home: "Arsenal", away: "Chelsea", target: "1x2" };
const ODDS = { B365: { home: 2.1, draw: 3.4, away: 3.6 }, PS: { home: 2.15, draw: 3.5, away: 3.7 } };

function assertProbabilities(prediction) {
  const sum = prediction.home + prediction.draw + prediction.away;
  assert.ok(Math.abs(sum - 1) < 1e-6, `sums to ${sum}`);
  for (const name of ["home", "draw", "away"]) assert.ok(prediction[name] > 0 && prediction[name] < 1);
}

/** Asks until it holds or two minutes have passed: features and jobs take their time. */
async function until(ask, holds) {
  for (const end = Date.now() + 120_000; ; await sleep(50)) {
    const isLate = Date.now() > end;
    const answer = await ask();
    if (holds(answer)) return answer;
    assert.ok(!isLate, `waited in vain: ${JSON.stringify(answer)}`);
  }
}

describe("the real server", { skip: hasBinary ? false : `no program at '${binary}'` }, () => {
  let data, server;
  const options = () => ({ url: server.url, timeoutMs: 60_000 }); // however busy the machine is
  const ask = (request) => predict(request, options());

  before(async () => {
    data = await makeData();
    server = await startAlmanac(data);
    await until(() => health(options()), (answer) => answer.features_ready);
  });
  after(async () => {
    await server?.kill();
    await data?.remove();
  });

  test("is healthy and has a model in production", async () => {
    const answer = await health(options());
    assert.equal(answer.status, "ok");
    assert.equal(answer.models, 1);
    const models = await currentModels({ league: "E0", target: "1x2" }, options());
    assert.equal(models.length, 1);
    assert.equal(models[0].bot, "elo_logit");
    assert.match(models[0].version, /^[0-9a-f]{8,}$/);
    assert.deepEqual(await currentModels({ league: "SP1" }, options()), []);
  });

  test("predicts a fixture, with fair odds and an edge per price", async () => {
    const answer = await ask({ ...REQUEST, odds: ODDS });
    assert.equal(answer.reason, null);
    assertProbabilities(answer.prediction);
    for (const name of ["home", "draw", "away"]) {
      const p = answer.prediction[name];
      assert.ok(Math.abs(answer.fair_odds[name] * p - 1) < 1e-6);
      assert.ok(Math.abs(answer.edge.B365[name] - (p * ODDS.B365[name] - 1)) < 1e-5);
      assert.ok(Math.abs(answer.edge.PS[name] - (p * ODDS.PS[name] - 1)) < 1e-5);
    }
    assert.equal(answer.match.home, "Arsenal");
    assert.equal(answer.model.bot, "elo_logit");
    assert.equal((await ask(REQUEST)).edge, null);
  });

  test("says why there is no prediction", async () => {
    const noTeam = await ask({ ...REQUEST, home: "No Such Club" });
    assert.equal(noTeam.prediction, null);
    assert.match(noTeam.reason, /No Such Club/);
    const noModel = await ask({ ...REQUEST, target: "ou25" });
    assert.equal(noModel.prediction, null);
    assert.ok(noModel.reason.length > 0);
  });

  test("names the field of a bad request", async () => {
    const cases = [
      [{ ...REQUEST, odds: { home: 0.5, draw: 3, away: 4 } }, "odds.home"],
      [{ ...REQUEST, date: "31/02/2026" }, "date"],
      [{ league: "E0", home: "Arsenal" }, "away"],
      [{ ...REQUEST, target: "3x3" }, "target"],
      [{ ...REQUEST, hoem: "Arsenal" }, "hoem"],
    ];
    for (const [request, field] of cases) {
      const answer = await ask(request);
      assert.equal(answer.prediction, null);
      assert.equal(answer.edge, null);
      assert.equal(answer.field, field, answer.reason);
    }
  });

  test("trains in a job", async () => {
    const started = await train({ league: "E0", target: "ou25", engine: "base_rate" }, options());
    assert.ok(Number.isInteger(started.job_id) && started.job_id > 0);
    const isOver = (answer) => answer.job.ended_at !== null;
    const ended = await until(() => job(started.job_id, options()), isOver);
    assert.equal(ended.job.error, null);
    assert.equal(ended.job.task, "train");
    await assert.rejects(train({ league: "E0", targte: "1x2" }, options()), { name: "AlmanacError", status: 400, field: "targte" });
    await assert.rejects(job(999_999, options()), { code: "not_found", status: 404 });
  });

  test("killed in the middle: every call resolves, and after a restart they answer again", async () => {
    const port = server.port;
    let isKilled = false;
    const answers = [];
    const caller = async () => {
      for (let calls = 0; calls < 2000 && !(isKilled && calls % 20 === 0); calls++) answers.push(await ask(REQUEST));
    };
    const callers = Promise.all(Array.from({ length: 8 }, caller));
    await until(async () => answers.length, (count) => count >= 40);
    const how = await server.kill("SIGKILL");
    assert.equal(how, "SIGKILL");
    const late = await ask(REQUEST);
    isKilled = true;
    await callers;
    assert.deepEqual([late.prediction, late.edge], [null, null]);
    assert.match(late.reason, /cannot reach/);
    const good = answers.filter((answer) => answer.prediction !== null);
    assert.ok(good.length >= 40, `${good.length} predictions before the kill`);
    for (const answer of good) assertProbabilities(answer.prediction);
    for (const answer of answers.filter((one) => one.prediction === null)) {
      assert.deepEqual(Object.keys(answer), ["prediction", "edge", "reason"]);
      assert.match(answer.reason, /cannot reach|broke off|did not answer/);
    }
    await assert.rejects(health(options()), { code: "unreachable" });

    server = await startAlmanac(data, port);
    const again = await until(() => ask(REQUEST), (answer) => answer.prediction !== null);
    assert.deepEqual(again.prediction, good[0].prediction);
  });
});
