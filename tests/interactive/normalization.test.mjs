// The arithmetic of the page, by numbers that can be checked by hand.
import assert from "node:assert/strict";
import test from "node:test";

import { normalization } from "./scripts.mjs";

const { apart, count, divisors, normalize, sharingSets, statistics, stored, updateRunning } = normalization;
const SHAPE = [2, 4, 1, 2]; // 2 images, 4 channels, 1 × 2 pixels
const VALUES = Array.from({ length: 16 }, (_, i) => i);
const EACH = ["batch", "layer", "group", "instance"];

function near(found, expected) {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 1e-12, `${found} is not ${expected}`));
}

test("each normalization has as many means as its letters say", () => {
  assert.deepEqual(EACH.map((name) => count(SHAPE, name, 2)), [4, 2, 4, 8]);
  assert.deepEqual(EACH.map((name) => count([3, 6, 5, 5], name, 3)), [6, 3, 9, 18]);
});

test("values share with those whose letters are the same", () => {
  const sets = Object.fromEntries(EACH.map((name) => [name, [...sharingSets(SHAPE, name, 2)]]));
  assert.deepEqual(sets.batch, [0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3]);
  assert.deepEqual(sets.layer, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual(sets.group, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  assert.deepEqual(sets.instance, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
});

test("the variance is the mean square of the deviations, and epsilon is under the root", () => {
  const found = statistics(VALUES, SHAPE, "layer");
  assert.equal(found.size, 8);
  near(found.sums, [28, 92]);
  near(found.means, [3.5, 11.5]);
  near(found.variances, [5.25, 5.25]);
  near(found.deviations, [Math.sqrt(5.25 + 1e-5), Math.sqrt(5.25 + 1e-5)]);
  near(statistics(VALUES, SHAPE, "layer", 1, 0.75).deviations, [Math.sqrt(6), Math.sqrt(6)]);
});

test("where no mean is subtracted, values are divided by their root mean square", () => {
  assert.deepEqual([...sharingSets(SHAPE, "invented")], [0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3]);
  const found = statistics([3, 4, 0, 0], [1, 2, 1, 2], "invented", 1, 0);
  near(found.means, [0, 0]);
  near(found.deviations, [3 / Math.SQRT2, 4 / Math.SQRT2]);
  near(normalize([3, 4, 0, 0], [1, 2, 1, 2], found), [Math.SQRT2, Math.SQRT2, 0, 0]);
});

test("gamma scales and beta shifts, one of each a channel", () => {
  const found = statistics(VALUES, SHAPE, "instance", 1, 0.75); // 0 and 1, 2 and 3 …: a variance of 1/4, deviations of 1
  near(normalize(VALUES, SHAPE, found), VALUES.map((_, i) => (i % 2 ? 0.5 : -0.5)));
  const scaled = normalize(VALUES, SHAPE, found, [2, 4, 6, 8], [0, 10, 20, 30]);
  near(scaled.slice(8), [-1, 1, 8, 12, 17, 23, 26, 34]);
});

test("a set of equal values is normalized to nothing, and not to no number", () => {
  const found = statistics([7, 7, 7, 7], [1, 2, 1, 2], "layer");
  near(normalize([7, 7, 7, 7], [1, 2, 1, 2], found), [0, 0, 0, 0]);
});

test("a training step takes running statistics a tenth of the way to the batch's mean and its unbiased variance", () => {
  const found = { size: 5, means: Float64Array.of(10, 0), variances: Float64Array.of(8, 4) }; // unbiased: 10 and 5
  const { means, variances } = updateRunning({ means: Float64Array.of(0, 2), variances: Float64Array.of(1, 1) }, found);
  near(means, [1, 1.8]);
  near(variances, [1.9, 1.4]);
});

test("in evaluation every image is normalized with what its channels have kept", () => {
  const kept = { means: Float64Array.of(1, 2, 3, 4), variances: Float64Array.of(0.25, 1.25, 3.25, 8.25) };
  const found = stored(SHAPE, kept, 0.75); // deviations of 1, √2, 2 and 3
  assert.deepEqual([...found.sets], [...sharingSets(SHAPE, "batch")]);
  near(normalize(VALUES, SHAPE, found).slice(8), [7, 8, 8 / Math.sqrt(2), 9 / Math.sqrt(2), 4.5, 5, 10 / 3, 11 / 3]);
});

test("groups that do not divide the channels are refused, and so is what is no normalization", () => {
  assert.throws(() => sharingSets(SHAPE, "group", 3), { message: "groups is 3; it must divide the 4 channels" });
  assert.throws(() => apart("weight"), { message: /^normalization is weight; it must be one of batch, layer, group/ });
});

test("the divisors of a number", () => {
  assert.deepEqual([1, 6, 7].map(divisors), [[1], [1, 2, 3, 6], [1, 7]]);
});
