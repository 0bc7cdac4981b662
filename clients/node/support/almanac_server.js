// The real program with data of its own: simulates, imports, trains, serves, can be killed. Not a test itself.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = path.dirname(fileURLToPath(import.meta.url));
export const binary = process.env.ALMANAC_BINARY || path.resolve(here, "../../../build/almanac");
export const hasBinary = existsSync(binary);

const START_TIMEOUT_MS = 120_000;

/** A new folder with imported, simulated football and one model in production. */
export async function makeData() {
  const folder = await mkdtemp(path.join(os.tmpdir(), "almanac-client-"));
  const data = path.join(folder, "data");
  const run = (...words) => promisify(execFile)(binary, [...words, "--data-dir", data], { cwd: folder, env: environment() });
  await run("simulate", "football", "--leagues", "2", "--seasons", "4", "--out", path.join(folder, "csv"));
  await run("import", "football", path.join(folder, "csv"));
  await run("train", "--league", "E0", "--target", "1x2", "--engine", "elo_logit");
  return { folder, data, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The caller's ALMANAC_ variables and almanac.ini must not reach the server under test. */
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("ALMANAC_")));
}

/** Starts the server and waits for its line. Returns { url, port, kill, exited }. */
export async function startAlmanac({ folder, data }, port = 0) {
  const child = spawn(binary, ["serve", "--port", String(port), "--data-dir", data],
    { cwd: folder, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += chunk));
  const exited = new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)));
  const url = await new Promise((resolve, reject) => {
    let lines = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`no 'listening on' within ${START_TIMEOUT_MS} ms: ${lines}${errors}`));
    }, START_TIMEOUT_MS);
    child.on("error", reject);
    exited.then((how) => reject(new Error(`the server ended with ${how}: ${errors}`)));
    child.stdout.on("data", (chunk) => {
      lines += chunk;
      const found = lines.match(/^listening on (http:\S+)$/m);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
  });
  return {
    url,
    port: Number(new URL(url).port),
    exited,
    kill: (signal = "SIGKILL") => {
      child.kill(signal);
      return exited;
    },
  };
}
