// Client of an Almanac server. No dependencies; Node 18 or newer.
//
// predict() is made for the inside of a web application: it always resolves, within its time-out, and says in `reason`
// why there is no prediction. The other calls are made for people and scripts, and reject with an AlmanacError.
//
// node:http instead of fetch, for three things fetch does not let us choose: "localhost" tries IPv4 first and then
// IPv6 (the server listens on 127.0.0.1, and Node 18 asks for ::1 alone), a kept connection that the server closed in
// the meantime is replaced by a new one without the caller noticing, and every port is allowed.
import dns from "node:dns";
import http from "node:http";
import https from "node:https";

const DEFAULT_URL = "http://localhost:5050";
const DEFAULT_TIMEOUT_MS = 2000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1; // setTimeout takes more for "at once"
const LONGEST_ANSWER_BYTES = 64 * 2 ** 20;

const agents = {
  "http:": new http.Agent({ keepAlive: true }),
  "https:": new https.Agent({ keepAlive: true }),
};

/** Why a call failed: `code` is the server's ("invalid", "not_found", ...), or "unreachable", "timeout", "bad_answer", "bad_call". */
export class AlmanacError extends Error {
  constructor(code, message, { status = 0, field = null, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AlmanacError";
    this.code = code;
    this.status = status;
    this.field = field;
  }
}

function readOptions({ url = process.env.ML_SERVICE_URL || DEFAULT_URL, timeoutMs = DEFAULT_TIMEOUT_MS }) {
  let base;
  try {
    base = new URL(url);
  } catch {
    throw new AlmanacError("bad_call", `'${url}' is not a URL`, { field: "url" });
  }
  if (!(base.protocol in agents)) {
    throw new AlmanacError("bad_call", `'${url}' begins with neither http:// nor https://`, { field: "url" });
  }
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) {
    throw new AlmanacError("bad_call", `timeoutMs must be a number above 0, not ${timeoutMs}`, { field: "timeoutMs" });
  }
  if (!base.pathname.endsWith("/")) base.pathname += "/"; // a server behind a proxy may live below a path
  return { base, timeoutMs: Math.min(timeoutMs, LONGEST_TIMEOUT_MS) };
}

function lookupIpv4First(hostname, options, callback) {
  return dns.lookup(hostname, { ...options, verbatim: false }, callback);
}

/** One exchange: resolves { status, text }; `attempt.request` can be destroyed from outside. */
function exchange(target, method, body, mayRepeat, attempt) {
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/json" };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = Buffer.byteLength(body);
    }
    const library = target.protocol === "https:" ? https : http;
    const request = library.request(target, {
      method,
      headers,
      agent: mayRepeat ? agents[target.protocol] : false, // false: a connection of its own
      lookup: lookupIpv4First,
      autoSelectFamily: true,
    });
    attempt.request = request;
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks = [];
      let sizeBytes = 0;
      response.on("data", (chunk) => {
        chunks.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > LONGEST_ANSWER_BYTES) {
          reject(new AlmanacError("bad_answer", `${target.origin} answers with more than ${LONGEST_ANSWER_BYTES} bytes`));
          request.destroy();
        }
      });
      response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", (error) => {
        reject(new AlmanacError("bad_answer", `${target.origin} broke off in the middle of its answer`, { cause: error }));
      });
    });
    request.end(body);
  });
}

/** The server closed a kept connection, as it does when it restarts, before it answered anything. */
function wasStale(error, request) {
  return request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

/**
 * `mayRepeat`: the request changes nothing on the server, so it may use a kept connection and be sent again on a new one.
 * What starts a job is sent once, on a connection of its own.
 */
async function send(path, method, body, mayRepeat, { base, timeoutMs }) {
  const attempt = { request: null };
  const target = new URL(path, base);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    attempt.request?.destroy(new Error("time-out"));
  }, timeoutMs);
  try {
    for (;;) {
      try {
        return await exchange(target, method, body, mayRepeat, attempt);
      } catch (error) {
        if (isLate) throw new AlmanacError("timeout", `${base.origin} did not answer within ${timeoutMs} ms`, { cause: error });
        if (error instanceof AlmanacError) throw error;
        if (!wasStale(error, attempt.request)) {
          throw new AlmanacError("unreachable", `cannot reach ${base.origin}: ${describe(error)}`, { cause: error });
        }
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Of several addresses none answered: an AggregateError, whose own message is empty. */
function describe(error) {
  return error.message || error.errors?.map((one) => one.message).join(", ") || error.code || String(error);
}

function parseAnswer({ status, text }, base) {
  let body;
  try {
    body = JSON.parse(text);
  } catch (error) {
    if (status >= 200 && status < 300) {
      throw new AlmanacError("bad_answer", `${base.origin} answered ${status} with something that is not JSON`, { status, cause: error });
    }
  }
  if (status >= 200 && status < 300) return body;
  const error = body?.error;
  if (typeof error?.message === "string") {
    const field = typeof error.field === "string" ? error.field : null;
    throw new AlmanacError(typeof error.code === "string" ? error.code : "bad_answer", error.message, { status, field });
  }
  throw new AlmanacError("bad_answer", `${base.origin} answered ${status}`, { status });
}

async function call(path, method, content, options, mayRepeat = true) {
  const settings = readOptions(options ?? {});
  let body;
  if (content !== undefined) {
    try {
      body = JSON.stringify(content);
    } catch (error) {
      throw new AlmanacError("bad_call", `the request cannot be written as JSON: ${error.message}`, { cause: error });
    }
    if (body === undefined) throw new AlmanacError("bad_call", "the request is not an object");
  }
  return parseAnswer(await send(path, method, body, mayRepeat, settings), settings.base);
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export async function predict(request, options) {
  try {
    if (!isObject(request)) throw new AlmanacError("bad_call", "the request is not an object");
    const answer = await call("predict", "POST", request, options);
    if (!isObject(answer) || !(answer.prediction === null || isObject(answer.prediction))) {
      throw new AlmanacError("bad_answer", "the answer has no prediction: this is no Almanac server");
    }
    return { edge: null, reason: null, ...answer };
  } catch (error) {
    const answer = { prediction: null, edge: null, reason: error.message };
    if (error.field) answer.field = error.field;
    return answer;
  }
}

export async function health(options) {
  return call("health", "GET", undefined, options);
}

export async function currentModels(filter = {}, options) {
  const query = new URLSearchParams();
  for (const name of ["league", "target", "bot"]) {
    if (filter[name] !== undefined) query.set(name, filter[name]);
  }
  const answer = await call(`model/current?${query}`, "GET", undefined, options);
  if (!Array.isArray(answer?.models)) {
    throw new AlmanacError("bad_answer", "the answer has no list of models: this is no Almanac server");
  }
  return answer.models;
}

export async function train(training = {}, options) {
  return call("train", "POST", training, options, false);
}

export async function job(id, options) {
  return call(`api/jobs/${encodeURIComponent(id)}`, "GET", undefined, options);
}
