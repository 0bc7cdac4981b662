import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const format = await load("ui/format.ts");
const { cronWords } = await load("ui/cron.ts");
const NOW = Date.parse("2026-03-01T12:00:00Z");

test("numbers", () => {
  assert.equal(format.integer(1234567), "1,234,567");
  assert.equal(format.score(0.95597938), "0.9560");
  assert.equal(format.signed(-0.0052), "\u22120.0052");
  assert.equal(format.signed(0.0052), "+0.0052");
  assert.equal(format.percent(0.5527), "55.3\u00a0%");
  for (const nothing of [null, undefined, NaN, Infinity]) assert.equal(format.score(nothing), format.NONE);
});

test("compact numbers and bytes keep three digits", () => {
  const compact = { 0: "0", 9999: "9,999", 12345: "12.3k", 177760: "178k", 1234567: "1.23M" };
  for (const [value, text] of Object.entries(compact)) assert.equal(format.compact(Number(value)), text);
  const bytes = { 12: "12 B", 1500: "1.5 kB", 93090: "93 kB", 4214400: "4.2 MB", 58300000: "58 MB", 2.5e9: "2.5 GB" };
  for (const [value, text] of Object.entries(bytes)) assert.equal(format.bytes(Number(value)), text);
});

test("durations have two units at most", () => {
  const cases = { 0.25: "250 ms", 7.26: "7.3 s", 42: "42 s", 59.6: "1 min", 61: "1 min 1 s", 3600: "1 h", 5400: "1 h 30 min", 90061: "1 d 1 h" };
  for (const [value, text] of Object.entries(cases)) assert.equal(format.duration(Number(value)), text);
  assert.equal(format.duration(-1), format.NONE);
});

test("relative times", () => {
  assert.equal(format.relative("2026-03-01T12:00:02Z", NOW), "now");
  assert.equal(format.relative("2026-03-01T11:55:48Z", NOW), "4 min ago");
  assert.equal(format.relative("2026-03-01T11:59:40Z", NOW), "20 s ago");
  assert.equal(format.relative("2026-03-01T12:00:07Z", NOW), "in 7 s");
  assert.equal(format.relative("2026-03-01T14:05:00Z", NOW), "in 2 h 5 min");
  assert.equal(format.relative(null, NOW), format.NONE);
  assert.equal(format.relative("no time", NOW), format.NONE);
});

test("the clock of a zone is shown as it is told", () => {
  assert.equal(format.wallTime("2026-10-25T02:30:00+01:00"), "Sun, 25 Oct 2026, 02:30");
  assert.equal(format.wallTime("2026-03-01T23:59:00Z"), "Sun, 1 Mar 2026, 23:59");
  assert.equal(format.wallTime(""), format.NONE);
});

test("names", () => {
  assert.equal(format.botName("lightgbm_prices"), "LightGBM prices");
  assert.equal(format.botName("base_rate"), "Base rate");
  assert.equal(format.jobName("E0 ou25 lightgbm"), "E0 O/U 2.5 LightGBM");
  assert.equal(format.plural(1, "league"), "1 league");
  assert.equal(format.plural(1200, "match", "matches"), "1,200 matches");
});

test("cron in words", () => {
  const cases = {
    "* * * * *": "Every minute",
    "*/15 * * * *": "Every 15 minutes",
    "0 * * * *": "Every hour",
    "20 * * * *": "Every hour at minute 20",
    "0 */2 * * *": "Every 2 hours",
    "0 3 * * *": "Daily at 03:00",
    "@daily": "Daily at 00:00",
    "0 8,18 * * *": "Daily at 08:00 and 18:00",
    "30 4 * * 1": "On Monday at 04:30",
    "30 4 * * mon-fri": "On Monday to Friday at 04:30",
    "30 4 * * 1-5": "On weekdays at 04:30",
    "0 0 1 * *": "On the 1st at 00:00",
    "0 0 11,22 * *": "On the 11th and 22nd at 00:00",
    "15 5 * * 7": "On Sunday at 05:15",
    "0 6 * 6-8 *": "At 06:00 in June to August",
  };
  for (const [cron, words] of Object.entries(cases)) assert.equal(cronWords(cron), words, cron);
});

test("what is too rich for a sentence is shown as it is", () => {
  for (const cron of ["1-59/7 * * * *", "0 0 */2 * *", "5,10 1 * * *", "not a cron", ""]) assert.equal(cronWords(cron), cron);
});
