import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { append, emptyBuffer, find, prepend } = await load("pages/training/logBuffer.ts");

const lines = (from, count) => Array.from({ length: count }, (_, index) => ({ offset: (from + index) * 10, next: (from + index + 1) * 10, at: null, text: "x" }));
const offsets = (buffer) => buffer.lines.map((line) => line.offset);

test("overlapping pages and events give each line once", () => {
  let buffer = append(emptyBuffer(), lines(0, 5), 50, 100);
  buffer = append(buffer, lines(3, 4), null, 100);
  assert.deepEqual(offsets(buffer), [0, 10, 20, 30, 40, 50, 60]);
  assert.equal(buffer.next, 70);
  assert.equal(append(buffer, lines(2, 3), 50, 100), buffer, "nothing new: the same buffer");
});

test("it is bounded, and says how much it dropped", () => {
  const buffer = append(append(emptyBuffer(), lines(0, 8), null, 10), lines(8, 8), null, 10);
  assert.equal(buffer.lines.length, 10);
  assert.equal(buffer.dropped, 6);
  assert.equal(buffer.lines[0].offset, 60);
});

test("earlier lines go to the front", () => {
  const buffer = prepend(append(emptyBuffer(100), lines(10, 3), null, 100), lines(5, 7));
  assert.deepEqual(offsets(buffer), [50, 60, 70, 80, 90, 100, 110, 120]);
  assert.equal(buffer.dropped, -5);
  assert.equal(buffer.next, 130);
});

test("a line is found by its offset", () => {
  const buffer = append(emptyBuffer(), lines(0, 100), null, 1000);
  for (const index of [0, 1, 50, 99]) assert.equal(find(buffer, index * 10), index);
  assert.equal(find(buffer, 15), -1);
  assert.equal(find(emptyBuffer(), 0), -1);
});
