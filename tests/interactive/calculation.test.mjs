// What is written of one value: numbers as text, where the value is, with which it shares, and the steps to the result.
import assert from "node:assert/strict";
import test from "node:test";

import { calculation, notation } from "./scripts.mjs";

const { decimal, number, percent, power, short } = notation;
const { placeInWords, setInWords, steps } = calculation;

test("numbers have a minus sign, thousands apart, and no sign before nothing", () => {
  assert.deepEqual([-0.02, -0.004, 1234.5, -98765.4].map((value) => decimal(value, 2)), ["−0.02", "0.00", "1,234.50", "−98,765.40"]);
  assert.deepEqual([0.12345, 12.345, 12345.6].map((value) => number(value)), ["0.1235", "12.345", "12,346"]);
  assert.deepEqual([4, -1200, 4.5].map(short), ["4", "−1,200", "4.5000"]);
  assert.equal(percent(0.995, 1), "99.5\u00a0%");
  assert.deepEqual([1e-5, 3.5e-12, 2e8].map(power), ["1×10⁻⁵", "3.5×10⁻¹²", "2×10⁸"]);
});

test("rows and columns are named where there is more than one", () => {
  const place = { image: 1, channel: 2, row: 0, column: 1 };
  assert.equal(placeInWords(place, [4, 4, 2, 2]), "image 2, channel 3, row 1, column 2");
  assert.equal(placeInWords(place, [4, 4, 1, 1]), "image 2, channel 3");
});

test("who shares is said in words", () => {
  const of = (name, groups, channel = 2) => setInWords(name, { image: 1, channel, row: 0, column: 0 }, 6, groups);
  assert.equal(of("batch", 2), "channel 3 of every image");
  assert.equal(of("layer", 2), "all channels of image 2");
  assert.equal(of("group", 2), "channels 1 to 3 of image 2");
  assert.equal(of("group", 2, 3), "channels 4 to 6 of image 2");
  assert.equal(of("group", 6), "channel 3 of image 2");
  assert.equal(of("instance", 2), "channel 3 of image 2");
});

test("the steps lead from the values that share to the result", () => {
  const value = { x: 4, sum: 6, mean: 1.5, variance: 6.25, deviation: 2.5, normalized: 1, scale: 2, shift: -3, result: -1, centred: true };
  const found = steps(value, Float64Array.of(4, -2, 1, 3), "N·H·W");
  assert.deepEqual(found.map(([name, , , is]) => [name, is]), [
    ["values", "4"], ["sum", "6"], ["mean", "1.5000"], ["variance", "6.2500"],
    ["standard deviation", "2.5000"], ["normalized", "1.0000"], ["result", "−1.0000"],
  ]);
  const formulas = found.map(([, , how]) => how);
  assert.equal(formulas[0], "N·H·W");
  assert.equal(formulas[1], "4 + (−2) + 1 + …");
  assert.equal(formulas[5], "(x − μ) / σ = (4 − 1.5000) / 2.5000");
  assert.equal(formulas[6], "γ · x̂ + β = 2 · 1 + (−3)");
  assert.equal(steps(value, Float64Array.of(4, -2), "N")[1][2], "4 + (−2)");
});

test("where no mean is subtracted the steps have a root mean square", () => {
  const value = { x: -5, sum: 1, mean: 0, variance: 25, deviation: 5, normalized: -1, scale: 2, shift: 0, result: -2, centred: false };
  const found = steps(value, Float64Array.of(-5, 5), "C");
  assert.deepEqual(found.map(([name]) => name), ["values", "mean square", "root mean square", "normalized", "result"]);
  assert.equal(found[3][2], "x / σ = −5 / 5.0000");
});

test("in evaluation the steps begin with what was kept in training", () => {
  const value = { x: 4, mean: 1.5, variance: 6.25, deviation: 2.5, normalized: 1, scale: 2, shift: -3, result: -1, evaluating: true, centred: true };
  const found = steps(value, Float64Array.of(4, -2, 1, 3), "N·H·W");
  assert.deepEqual(found.map(([name]) => name), ["running mean", "running variance", "standard deviation", "normalized", "result"]);
  assert.deepEqual(found.slice(0, 2).map(([, , how, is]) => [how, is]), [["kept in training", "1.5000"], ["kept in training", "6.2500"]]);
});
