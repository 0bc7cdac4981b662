// Whatever a server does, predict() resolves in time and says why there is no prediction.
import assert from "node:assert/strict";
import test from "node:test";

import { AlmanacError, currentModels, health, job, predict, train } from "../index.js";
import { answerWith, freeUrl, startServer, startSocketServer } from "../support/fake_server.js";

const REQUEST = { league: "E0", home: "Arsenal", away: "Chelsea" };
const PATIENT = { timeoutMs: 60_000 }; // what must be answered is answered, however busy the machine is

/** Runs predict against the server and closes it; the answer must be the fallback. */
async function fallbackFrom(server, options = PATIENT) {
  const answer = await predict(REQUEST, { url: server.url, ...options });
  await server.close();
  assert.equal(answer.prediction, null);
  assert.equal(answer.edge, null);
  assert.equal(typeof answer.reason, "string");
  return answer;
}

test("a refused connection", async () => {
  const url = await freeUrl();
  const answer = await predict(REQUEST, { url, ...PATIENT });
  assert.deepEqual(Object.keys(answer), ["prediction", "edge", "reason"]);
  assert.match(answer.reason, /cannot reach http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
});

test("a name that does not exist", async () => {
  const answer = await predict(REQUEST, { url: "http://no-such-host.invalid:5050", ...PATIENT });
  assert.equal(answer.prediction, null);
  assert.match(answer.reason, /no-such-host\.invalid/);
});

test("a server that accepts and says nothing", async () => {
  const took = [];
  while (took.length < 3 && !(took.at(-1) < 1500)) { // one that takes longer is the machine's doing, three are not
    const server = await startSocketServer(() => {});
    const start = performance.now();
    const answer = await fallbackFrom(server, { timeoutMs: 150 });
    took.push(performance.now() - start);
    assert.match(answer.reason, /did not answer within 150 ms/);
  }
  assert.ok(took.at(-1) >= 140 && took.at(-1) < 1500, `${took} ms`);
});

test("a server that sends its answer a byte at a time", async () => {
  const timers = new Set();
  const server = await startSocketServer((socket) => {
    const timer = setInterval(() => socket.write(" "), 20);
    timers.add(timer);
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
    socket.on("close", () => clearInterval(timer));
  });
  const answer = await fallbackFrom(server, { timeoutMs: 200 });
  for (const timer of timers) clearInterval(timer);
  assert.match(answer.reason, /did not answer within 200 ms/);
});

test("an answer that breaks off", async () => {
  const server = await startSocketServer((socket) => {
    socket.once("data", () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"prediction"');
      setTimeout(() => socket.destroy(), 20);
    });
  });
  assert.match((await fallbackFrom(server)).reason, /broke off in the middle/);
});

test("a connection closed before any answer", async () => {
  const server = await startSocketServer((socket) => socket.once("data", () => socket.destroy()));
  assert.match((await fallbackFrom(server)).reason, /cannot reach/);
});

test("something that is not HTTP", async () => {
  const server = await startSocketServer((socket) => socket.once("data", () => socket.end("220 mail.example ESMTP\r\n")));
  assert.match((await fallbackFrom(server)).reason, /cannot reach/);
});

test("bad JSON, cut JSON, no JSON", async () => {
  for (const body of ["<html>hello</html>", '{"prediction": {"home": 0.5', ""]) {
    assert.match((await fallbackFrom(await answerWith(200, body))).reason, /not JSON/);
  }
});

test("JSON that is no prediction", async () => {
  for (const body of [[], "null", "3", {}, { prediction: 0.5 }, { prediction: [1] }]) {
    assert.match((await fallbackFrom(await answerWith(200, body))).reason, /no prediction/);
  }
});

test("5xx, with and without the server's sentence", async () => {
  const spoken = await answerWith(503, { error: { code: "busy", message: "the database is locked", field: null } });
  assert.deepEqual(await fallbackFrom(spoken), { prediction: null, edge: null, reason: "the database is locked" });
  const silent = await answerWith(502, "<h1>Bad Gateway</h1>", "text/html");
  assert.match((await fallbackFrom(silent)).reason, /answered 502/);
});

test("4xx gives the server's sentence and the field", async () => {
  const error = { code: "invalid", message: "decimal odds are above 1 and at most 10001, not 0.5", field: "odds.home" };
  const answer = await fallbackFrom(await answerWith(400, { error }));
  assert.deepEqual(answer, { prediction: null, edge: null, reason: error.message, field: "odds.home" });
  const whole = { code: "not_found", message: "no route 'POST /predict'", field: null };
  assert.deepEqual(await fallbackFrom(await answerWith(404, { error: whole })),
    { prediction: null, edge: null, reason: whole.message });
  assert.match((await fallbackFrom(await answerWith(418, { error: "teapot" }))).reason, /answered 418/);
});

test("redirects are not followed", async () => {
  const server = await startServer((request, response) => {
    response.writeHead(302, { location: "http://127.0.0.1:1/" });
    response.end();
  });
  assert.match((await fallbackFrom(server)).reason, /answered 302/);
});

test("calls that make no sense resolve too", async () => {
  const circular = {};
  circular.self = circular;
  const calls = [
    [undefined, {}, /not an object/],
    [null, {}, /not an object/],
    ["E0", {}, /not an object/],
    [[REQUEST], {}, /not an object/],
    [circular, {}, /cannot be written as JSON/],
    [{ match: 10n }, {}, /cannot be written as JSON/],
    [REQUEST, { url: "localhost:5050" }, /neither http/],
    [REQUEST, { url: "not a url" }, /not a URL/],
    [REQUEST, { timeoutMs: 0 }, /timeoutMs/],
    [REQUEST, { timeoutMs: Number.NaN }, /timeoutMs/],
    [REQUEST, { timeoutMs: "2000" }, /timeoutMs/],
  ];
  for (const [request, options, reason] of calls) {
    const answer = await predict(request, options);
    assert.equal(answer.prediction, null);
    assert.match(answer.reason, reason);
  }
});

test("an answer passes through whole, null predictions included", async () => {
  const full = { prediction: { home: 0.5, draw: 0.3, away: 0.2 }, fair_odds: { home: 2, draw: 3.33, away: 5 },
    edge: { given: { home: 0.05, draw: -0.1, away: -0.2 } }, reason: null, target: "1x2", model: { bot: "elo_logit" } };
  const server = await answerWith(200, full);
  const request = { ...REQUEST, odds: { home: 2.1, draw: 3, away: 4 } };
  assert.deepEqual(await predict(request, { url: server.url, ...PATIENT }), full);
  assert.equal(server.requests.length, 1);
  assert.equal(server.requests[0].method, "POST");
  assert.equal(server.requests[0].path, "/predict");
  assert.equal(server.requests[0].headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(server.requests[0].body), request);
  await server.close();

  const none = await answerWith(200, { prediction: null, edge: null, reason: "no team 'Arsenol' in E0" });
  assert.equal((await fallbackFrom(none)).reason, "no team 'Arsenol' in E0");
});

test("names beyond ASCII keep their bytes", async () => {
  const server = await startServer((request, response, body) => response.end(
    JSON.stringify({ prediction: { home: 1, draw: 0, away: 0 }, home: JSON.parse(body).home })));
  const answer = await predict({ league: "EC", home: "King’s Lynn", away: "Žižkov" }, { url: server.url, ...PATIENT });
  assert.equal(answer.home, "King’s Lynn");
  await server.close();
});

test("ML_SERVICE_URL is read at each call, and may have a path", async () => {
  const server = await answerWith(200, { prediction: { under: 0.4, over: 0.6 } });
  const before = process.env.ML_SERVICE_URL;
  try {
    process.env.ML_SERVICE_URL = server.url;
    assert.equal((await predict(REQUEST, PATIENT)).prediction.over, 0.6);
    process.env.ML_SERVICE_URL = `${server.url}/ml`;
    assert.equal((await predict(REQUEST, PATIENT)).prediction.over, 0.6);
    process.env.ML_SERVICE_URL = await freeUrl();
    assert.equal((await predict(REQUEST)).prediction, null);
  } finally {
    if (before === undefined) delete process.env.ML_SERVICE_URL;
    else process.env.ML_SERVICE_URL = before;
  }
  assert.deepEqual(server.requests.map((request) => request.path), ["/predict", "/ml/predict"]);
  await server.close();
});

test("localhost reaches a server on 127.0.0.1", async () => {
  const server = await answerWith(200, { status: "ok" });
  assert.deepEqual(await health({ url: server.url.replace("127.0.0.1", "localhost"), ...PATIENT }), { status: "ok" });
  await server.close();
});

test("a kept connection that was closed is replaced, but a training is never sent twice", async () => {
  let connections = 0;
  const server = await startServer((request, response) => response.end('{"status": "ok"}'));
  server.server.on("connection", () => connections++);
  const options = { url: server.url, ...PATIENT };
  await health(options);
  await health(options);
  assert.equal(connections, 1, "the connection is kept");
  await train({ league: "E0" }, options);
  assert.equal(connections, 2, "a training has its own");
  await server.close();

  // answers once per connection, then hangs up on whatever comes next
  let received = 0;
  const rude = await startSocketServer((socket) => {
    let isUsed = false;
    socket.on("data", () => {
      received++;
      if (isUsed) {
        socket.destroy();
        return;
      }
      isUsed = true;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: keep-alive\r\n\r\n{"status": "ok"}');
    });
  });
  for (let i = 0; i < 5; i++) assert.deepEqual(await health({ url: rude.url, ...PATIENT }), { status: "ok" });
  assert.equal(received, 9, "five answers, four repeated after a hang-up");
  await rude.close();

  let trainings = 0;
  const deaf = await startSocketServer((socket) => socket.on("data", () => {
    trainings++;
    socket.destroy();
  }));
  await assert.rejects(train({ league: "E0" }, { url: deaf.url, ...PATIENT }), { code: "unreachable" });
  assert.equal(trainings, 1);
  await deaf.close();
});

test("many calls at once", async () => {
  const server = await startServer((request, response, body) => setTimeout(
    () => response.end(JSON.stringify({ prediction: { home: JSON.parse(body).match, draw: 0, away: 0 } })), 5));
  const answers = await Promise.all(Array.from({ length: 200 }, (_, match) => predict({ match }, { url: server.url, ...PATIENT })));
  assert.deepEqual(answers.map((answer) => answer.prediction.home), Array.from({ length: 200 }, (_, match) => match));
  await server.close();
});

test("the other calls: paths, and errors that can be told apart", async () => {
  const server = await startServer((request, response) => {
    const answers = { "/health": { status: "ok" }, "/train": { job_id: 7, pid: 4711, job: { id: 7 } },
      "/api/jobs/7": { job: { id: 7, state: "running" }, request: {}, result: null } };
    const body = request.url.startsWith("/model/current") ? { models: [{ version: "abcd" }] } : answers[request.url];
    response.writeHead(body === undefined ? 404 : request.url === "/train" ? 202 : 200);
    response.end(JSON.stringify(body ?? { error: { code: "not_found", message: "no job 8", field: "id" } }));
  });
  const options = { url: server.url, ...PATIENT };
  assert.equal((await health(options)).status, "ok");
  assert.deepEqual(await currentModels({ league: "E0", target: "1x2" }, options), [{ version: "abcd" }]);
  assert.deepEqual(await currentModels(undefined, options), [{ version: "abcd" }]);
  assert.equal((await train({ league: "E0", target: "ou25" }, options)).job_id, 7);
  assert.equal((await job(7, options)).job.state, "running");
  assert.equal(server.requests[1].path, "/model/current?league=E0&target=1x2");
  assert.deepEqual(JSON.parse(server.requests[3].body), { league: "E0", target: "ou25" });
  await assert.rejects(job(8, options), (error) => error instanceof AlmanacError && error.code === "not_found" &&
    error.status === 404 && error.field === "id" && error.message === "no job 8");
  await server.close();

  await assert.rejects(health(options), (error) => error.code === "unreachable" && error.status === 0);
  const silent = await startSocketServer(() => {});
  await assert.rejects(health({ url: silent.url, timeoutMs: 50 }), { name: "AlmanacError", code: "timeout" });
  await silent.close();
  const wrong = await answerWith(200, "hello");
  await assert.rejects(currentModels({}, { url: wrong.url, ...PATIENT }), { code: "bad_answer" });
  await wrong.close();
  await assert.rejects(health({ url: "ftp://example.org" }), { code: "bad_call", field: "url" });
});
