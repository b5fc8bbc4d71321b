// Products of matrices, where training spends nearly all of its time. WebAssembly makes them, two numbers at once;
// its few instructions are put together here. Where a page may run none, plain loops do the same.
"use strict";

globalThis.multiplication = (function script() {
  /** Rows of numbers in an array: where each row starts in it, by default `down` numbers after the last; a column is `right` numbers further. */
  function matrix(values, rows, columns, down = columns, right = 1, starts = Int32Array.from({ length: rows }, (_, i) => i * down)) {
    return { values, starts, columns, right, addresses: starts.map((start) => values.byteOffset + 8 * start) };
  }

  /** Add A·B to C, whose rows may overlap. */
  function multiplyPlainly(A, B, C) {
    for (let i = 0; i < C.starts.length; i++) {
      for (let j = 0; j < C.columns; j++) {
        let sum = 0;
        for (let t = 0; t < A.columns; t++) sum += A.values[A.starts[i] + t * A.right] * B.values[B.starts[t] + j * B.right];
        C.values[C.starts[i] + j * C.right] += sum;
      }
    }
  }

  // WebAssembly: an instruction is a few bytes, after those of its operands (webassembly.github.io/spec/core/binary).

  const [FOUR, HALVES] = [[0, 1, 2, 3], [0, 1]];
  const GIVEN = [...FOUR.map((i) => `a${i}`), "aRight", "inner", ...FOUR.map((i) => `c${i}`), "columns"]; // addresses, distances in bytes, counts
  const INTEGERS = [...GIVEN, ...FOUR.map((i) => `at${i}`), "left", "row", "b", "shift"];
  const PAIRS = ["twice", "b0", "b1", ...FOUR.flatMap((i) => [`sum${i}0`, `sum${i}1`])]; // of numbers

  const get = (name) => [0x20, [...INTEGERS, ...PAIRS].indexOf(name)];
  const set = (name, ...value) => [...value.flat(), 0x21, get(name)[1]];
  const integer = (value) => [0x41, value & 0x7f]; // from −64 to 63
  const integerAt = [0x28, 0, 0];
  const pairAt = (offset) => [0xfd, 0x00, 0, offset];
  const twiceAt = [0xfd, 0x0a, 0, 0]; // a pair of one number
  const zeros = [0xfd, 0x0c, ...Array(16).fill(0)];
  const store = [0xfd, 0x0b, 0];
  const plus = [0x6a];
  const pairsPlus = [0xfd, 0xf0, 1];
  const pairsTimes = [0xfd, 0xf2, 1];
  const move = (name, by) => set(name, get(name), by, plus);
  const untilZero = (name, ...body) => [0x03, 0x40, ...body.flat(), ...get(name), 0x0d, 0, 0x0b];

  /** Add four rows of A·B to C, four columns at a time: each number that is read is used four times. Where the rows of B begin is listed from address 0. */
  const ROWS = untilZero("columns",
    ...FOUR.map((i) => set(`at${i}`, get(`a${i}`))),
    ...FOUR.flatMap((i) => HALVES.map((half) => set(`sum${i}${half}`, zeros))),
    set("row", integer(0)),
    set("left", get("inner")),
    untilZero("left",
      set("b", get("row"), integerAt, get("shift"), plus),
      ...HALVES.map((half) => set(`b${half}`, get("b"), pairAt(16 * half))),
      ...FOUR.flatMap((i) => [
        set("twice", get(`at${i}`), twiceAt),
        ...HALVES.map((half) => set(`sum${i}${half}`, get(`sum${i}${half}`), get("twice"), get(`b${half}`), pairsTimes, pairsPlus)),
        move(`at${i}`, get("aRight")),
      ]),
      move("row", integer(4)),
      move("left", integer(-1))),
    ...FOUR.flatMap((i) => [
      ...HALVES.map((half) => [get(`c${i}`), get(`c${i}`), pairAt(16 * half), get(`sum${i}${half}`), pairsPlus, store, 16 * half].flat()),
      move(`c${i}`, integer(32)),
    ]),
    move("shift", integer(32)),
    move("columns", integer(-4)));

  const MEMORY = 16; // times 64 KiB
  const LIST = 4096; // integers at its beginning

  const counted = (bytes) => [(bytes.length & 0x7f) | 0x80, bytes.length >> 7, ...bytes];
  const section = (number, ...bytes) => [number, ...counted(bytes.flat())];
  const text = (letters) => [letters.length, ...Array.from(letters, (letter) => letter.charCodeAt(0))];
  const [INTEGER, PAIR] = [0x7f, 0x7b];
  const MODULE = [
    0, ...text("asm").slice(1), 1, 0, 0, 0,
    ...section(1, 1, 0x60, counted(GIVEN.map(() => INTEGER)), 0), // what the function is given, and that it gives nothing
    ...section(3, 1, 0),
    ...section(5, 1, 0, MEMORY),
    ...section(7, 2, text("rows"), 0, 0, text("memory"), 2, 0),
    ...section(10, 1, counted([2, INTEGERS.length - GIVEN.length, INTEGER, PAIRS.length, PAIR, ...ROWS, 0x0b])),
  ];

  function begin() {
    try {
      const { rows, memory } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(MODULE))).exports;
      return { rows, list: new Int32Array(memory.buffer, 0, LIST), numbers: new Float64Array(memory.buffer, 4 * LIST) };
    } catch {
      return { numbers: [] }; // an old browser, or a page that may not
    }
  }

  const { rows, list, numbers } = begin();

  /** Arrays of zeros of these lengths, where `multiply` is fast. The next call takes them back. */
  function arrays(...lengths) {
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const room = total <= numbers.length ? numbers.fill(0, 0, total) : new Float64Array(total);
    let end = 0;
    return lengths.map((length) => room.subarray(end, (end += length)));
  }

  /** Add A·B to C, whose rows may overlap. It is fast in `arrays` where C has a multiple of four rows and columns. */
  function multiply(A, B, C) {
    const fours = C.starts.length % 4 === 0 && C.columns % 4 === 0 && B.right === 1 && C.right === 1 && B.starts.length <= LIST;
    if (!fours || [A, B, C].some(({ values }) => values.buffer !== numbers.buffer)) return multiplyPlainly(A, B, C);
    const [a, c] = [A.addresses, C.addresses];
    list.set(B.addresses);
    for (let i = 0; i < c.length; i += 4) rows(a[i], a[i + 1], a[i + 2], a[i + 3], 8 * A.right, A.columns, c[i], c[i + 1], c[i + 2], c[i + 3], C.columns);
  }

  return Object.freeze({ script, matrix, multiply, multiplyPlainly, arrays });
})();
