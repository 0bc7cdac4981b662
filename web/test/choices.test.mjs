import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { changedParameters, commonOptions, problemOf } = await load("pages/training/parameters.ts");
const { choose, firstFilter } = await load("pages/models/filter.ts");
const { marketOf } = await load("ui/market.ts");

const trees = { name: "trees", type: "int", unit: "", min: 1, max: 100, default: 50, doc: "", choices: null };
const rate = { name: "rate", type: "real", unit: "", min: 0, max: 1, default: 0.1, doc: "", choices: null };

test("a parameter is checked as its option row says", () => {
  assert.equal(problemOf(trees, "50"), null);
  assert.equal(problemOf(trees, "0"), "at least 1");
  assert.equal(problemOf(trees, "101"), "at most 100");
  assert.equal(problemOf(trees, "2.5"), "a whole number is needed");
  assert.equal(problemOf(rate, "x"), "a number is needed");
  assert.equal(problemOf(rate, " "), "a number is needed");
});

test("what is as preset is not sent", () => {
  assert.deepEqual(changedParameters([trees, rate], { trees: "50", rate: "0.2", unknown: "1" }), { rate: 0.2 });
});

test("several bots share what all of them have", () => {
  const bots = [{ options: [trees, rate] }, { options: [{ ...rate }] }];
  assert.deepEqual(commonOptions(bots).map((row) => row.name), ["rate"]);
  assert.deepEqual(commonOptions([]), []);
});

const model = (version, more) => ({ subject: "E0", variant: "1x2", bot: "lightgbm", version, stage: "None", status: "active", trained_at: "2026-01-01", features: "core", holdout: null, ...more });

test("models are filtered and sorted; a failed one has no version", () => {
  const all = [
    model("a", { holdout: { log_loss: 1 }, trained_at: "2026-01-03" }),
    model("b", { holdout: { log_loss: 0.9 } }),
    model("c", { status: "archived" }),
    model(null, { status: "failed", job_id: 7, trained_at: "2026-01-02" }),
  ];
  assert.deepEqual(choose(all, firstFilter).map((one) => one.version), ["a", null, "b"]);
  assert.deepEqual(choose(all, { ...firstFilter, order: "loss" }).map((one) => one.version), ["b", "a", null]);
  assert.deepEqual(choose(all, { ...firstFilter, status: "archived" }).map((one) => one.version), ["c"]);
  assert.deepEqual(choose(all, { ...firstFilter, text: "E0 1x2 lightgbm b" }).map((one) => one.version), ["b"]);
});

test("the market is read from the score sheet", () => {
  const estimate = (value) => ({ value, low: value - 0.1, high: value + 0.1 });
  const forecasts = [
    { name: "lightgbm", log_loss: estimate(0.95), against_reference: estimate(0.01) },
    { name: "closing", log_loss: estimate(0.94), against_reference: null },
  ];
  const sheet = { model: model("a"), details: { scores: { rows: 10, reference: "closing", forecasts } } };
  assert.deepEqual(marketOf(sheet), { reference: "closing", rows: 10, log_loss: 0.94, difference: 0.01, low: 0.01 - 0.1, high: 0.01 + 0.1 });
  assert.equal(marketOf({ model: model("a"), details: null }), null);
  assert.equal(marketOf(undefined), null);
});
