import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { changeOf, draftOf, limitChanges, limitOf, limitsDraft, shippedDraft } = await load("pages/schedule/edit.ts");

const task = (name, more) => ({ name, task: name, cron: "0 2 * * *", time_zone: "UTC", missed: "once", jitter_s: 60, options: {}, ...more });
const status = { drift_threshold: 0.15, performance_threshold: 0.75, cooldown_h: 20 };

test("only what was changed is sent", () => {
  const retrain = task("retrain");
  const draft = draftOf(retrain);
  assert.equal(changeOf(retrain, draft), null);
  assert.equal(changeOf(retrain, { ...draft, cron: "  0  2 * * * ", jitter_s: " 60" }), null);
  assert.deepEqual(changeOf(retrain, { ...draft, cron: " @daily " }), { cron: "@daily" });
  assert.deepEqual(changeOf(retrain, { ...draft, time_zone: "Europe/Berlin", missed: "skip", jitter_s: "0" }), {
    time_zone: "Europe/Berlin",
    missed: "skip",
    jitter_s: 0,
  });
});

test("back to the default is an empty text; the jitter stays", () => {
  const retrain = task("retrain");
  assert.deepEqual(changeOf(retrain, shippedDraft(draftOf(retrain))), { cron: "", time_zone: "", missed: "" });
});

test("a jitter that is no whole number is not sent, one out of range is the server's to refuse", () => {
  const retrain = task("retrain");
  for (const text of ["", "x", "1.5", "1e3", "12345678901"]) {
    assert.throws(() => changeOf(retrain, { ...draftOf(retrain), jitter_s: text }), { field: "jitter_s" }, text);
  }
  assert.deepEqual(changeOf(retrain, { ...draftOf(retrain), jitter_s: "-1" }), { jitter_s: -1 });
});

test("a threshold is what was set, else what is shipped", () => {
  const tasks = [task("performance", { options: { drift_threshold: 0.3 } }), task("retrain")];
  assert.equal(limitOf("drift_threshold", status, tasks), 0.3);
  assert.equal(limitOf("performance_threshold", status, tasks), 0.75);
  assert.equal(limitOf("cooldown_h", status, undefined), 20);
  assert.deepEqual(limitsDraft(tasks), { drift_threshold: "0.3", performance_threshold: "", cooldown_h: "" });
});

test("thresholds go to the tasks that apply them, beside the options that were there", () => {
  const tasks = [task("performance", { options: { rate: 0.1, drift_threshold: 0.3 } }), task("retrain", { options: { least_new: 5 } })];
  const draft = limitsDraft(tasks);
  assert.deepEqual(limitChanges(tasks, draft), []);
  assert.deepEqual(limitChanges(tasks, { ...draft, performance_threshold: "0.8" }), [
    { name: "performance", options: { rate: 0.1, drift_threshold: 0.3, performance_threshold: 0.8 } },
  ]);
  assert.deepEqual(limitChanges(tasks, { ...draft, drift_threshold: "", cooldown_h: "12" }), [
    { name: "performance", options: { rate: 0.1, cooldown_h: 12 } },
    { name: "retrain", options: { least_new: 5, cooldown_h: 12 } },
  ]);
  assert.throws(() => limitChanges(tasks, { ...draft, drift_threshold: "much" }), { field: "drift_threshold" });
  assert.throws(() => limitChanges(tasks, { ...draft, cooldown_h: "1.5" }), { field: "cooldown_h" });
});
