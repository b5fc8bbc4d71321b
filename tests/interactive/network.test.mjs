// A network that is run in the page, by numbers that can be checked by hand.
import assert from "node:assert/strict";
import test from "node:test";

import { network } from "./scripts.mjs";

const encode = (...numbers) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
const one = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
const filter = (shape, weight, more = {}) => ({ kind: "convolution", ...one, shape, arrays: { weight: encode(...weight) }, ...more });

/** What layers make of 28×28 pixels of which the first few are given, and the others are 0. */
function logits(layers, ...pixels) {
  const image = Array.from({ length: 28 * 28 }, (_, i) => 255 * (pixels[i] ?? 0));
  return network.run(network.load(layers), image, 0, 1).logits;
}

test("a convolution multiplies what lies under its filter, and adds its bias", () => {
  const arrays = { weight: encode(1, 10), bias: encode(0.5) };
  const found = logits([filter([1, 1, 1, 2], [], { arrays })], 1, 2, 3);
  assert.deepEqual(found.slice(0, 4), [21.5, 32.5, 3.5, 0.5]);
  assert.equal(found.length, 28 * 27);
});

test("padding, stride and dilation move it", () => {
  const [weight, where] = [[1, 10], [1, 1, 1, 2]];
  assert.deepEqual(logits([filter(where, weight, { padding: [0, 1] })], 1, 2, 3).slice(0, 3), [10, 21, 32]);
  assert.deepEqual(logits([filter(where, weight, { stride: [1, 2] })], 1, 2, 3).slice(0, 2), [21, 3]);
  assert.deepEqual(logits([filter(where, weight, { dilation: [1, 2] })], 1, 2, 3).slice(0, 3), [31, 2, 3]);
});

test("with groups, a filter sees the channels of its own group alone", () => {
  const twice = filter([2, 1, 1, 1], [1, 100]);
  const found = logits([twice, filter([2, 1, 1, 1], [1, 1], { groups: 2 })], 5);
  assert.deepEqual([found[0], found[28 * 28]], [5, 500]);
});

test("pooling, ReLU and averages", () => {
  assert.deepEqual(logits([{ kind: "maximum", size: 2, stride: 2 }], 1, 7, 3).slice(0, 2), [7, 3]);
  assert.deepEqual(logits([{ kind: "average", size: 2, stride: 2 }], 1, 7, 4).slice(0, 2), [2, 1]);
  assert.deepEqual(logits([filter([1, 1, 1, 1], [-1]), { kind: "relu" }], 5).filter((value) => value !== 0), []);
  assert.ok(Math.abs(logits([{ kind: "average over all" }], 28, 28)[0] - 1 / 14) < 1e-12);
});

test("a linear layer has a row of weights for each class", () => {
  const layer = { kind: "linear", arrays: { weight: encode(2, 3), bias: encode(1, -1) } };
  const found = logits([{ kind: "average over all" }, layer], 28 * 28);
  assert.deepEqual(found, [3, 2]);
});

test("batch normalization uses what it has stored", () => {
  const arrays = { means: encode(1), variances: encode(3), gamma: encode(4), beta: encode(5) };
  const found = logits([{ kind: "batch", epsilon: 1, arrays }], 5, 1);
  assert.deepEqual(found.slice(0, 3), [13, 5, 3]);
});

test("an unknown kind of layer is named", () => {
  assert.throws(() => logits([{ kind: "attention" }]), { message: "a layer of the kind attention is not known here" });
});

test("probabilities add up to 1, however large the logits", () => {
  assert.deepEqual(network.softmax([1000, 1000]), [0.5, 0.5]);
  const [first, second] = network.softmax([0, Math.log(3)]);
  assert.ok(Math.abs(first - 0.25) < 1e-12);
  assert.ok(Math.abs(second - 0.75) < 1e-12);
});
