// Products of matrices: what WebAssembly makes is what plain loops make.
import assert from "node:assert/strict";
import test from "node:test";

import { multiplication } from "./scripts.mjs";

const { matrix, multiply, multiplyPlainly, arrays } = multiplication;

const some = (array) => array.forEach((_, i) => (array[i] = Math.sin(7 * i + array.length)));

/** A product made both ways, from matrices whose arrays `make` is given. */
function bothWays(lengths, make) {
  const found = [multiply, multiplyPlainly].map((way) => {
    const given = arrays(...lengths);
    given.forEach(some);
    const C = make(...given);
    way(...C);
    return [...C[2].values];
  });
  found[0].forEach((value, i) => assert.ok(Math.abs(value - found[1][i]) < 1e-12, `number ${i} is ${value}, not ${found[1][i]}`));
}

test("two by three times three by two, by hand", () => {
  const C = new Float64Array([100, 0, 0, 0]);
  multiply(matrix([1, 2, 3, 4, 5, 6], 2, 3), matrix([1, 0, 0, 1, 1, 1], 3, 2), matrix(C, 2, 2));
  assert.deepEqual([...C], [104, 5, 10, 11]);
});

test("a whole number of blocks", () => {
  for (const [rows, inner, columns] of [[4, 1, 4], [8, 5, 12], [16, 108, 224]]) {
    bothWays([rows * inner, inner * columns, rows * columns], (a, b, c) => [matrix(a, rows, inner), matrix(b, inner, columns), matrix(c, rows, columns)]);
  }
});

test("a transposed factor, and rows that overlap in a factor and in the product", () => {
  const starts = Int32Array.of(0, 1, 2, 8, 9, 10, 11, 3);
  bothWays([4 * 8, 8 * 4 + 20, 40], (a, b, c) => [matrix(a, 8, 4, 1, 8), matrix(b, 4, 12, 2), matrix(c, 8, 12, 0, 1, starts)]);
});

test("what does not come in fours, and what is too large for the memory", () => {
  bothWays([3 * 5, 5 * 7, 3 * 7], (a, b, c) => [matrix(a, 3, 5), matrix(b, 5, 7), matrix(c, 3, 7)]);
  bothWays([4, 2 ** 18, 2 ** 18], (a, b, c) => [matrix(a, 4, 1), matrix(b, 1, 2 ** 16), matrix(c, 4, 2 ** 16)]);
});

test("it is WebAssembly that makes them, where it can", () => {
  const [values] = arrays(4);
  assert.equal(values.buffer, arrays(4)[0].buffer, "the same memory each time");
  assert.deepEqual([...values], [0, 0, 0, 0]);
});
