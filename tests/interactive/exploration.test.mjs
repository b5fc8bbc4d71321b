// What the explorer holds and says: how it begins, training and evaluation, its tasks, and its state in the page's address.
import assert from "node:assert/strict";
import test from "node:test";

import { address, exploration, sentences, tasks } from "./scripts.mjs";

const { begin, evaluating, follow, independent, normalized, output, trained, used } = exploration;
const EXAMPLE = globalThis.explorerData.example;
const plain = (state) => JSON.parse(JSON.stringify(state, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value)));
const furthest = (some, others) => Math.max(...some.map((value, i) => Math.abs(value - others[i])));

test("it begins with the example, in training, with statistics kept of nothing", () => {
  const state = begin();
  assert.deepEqual([...state.values], EXAMPLE.values);
  assert.deepEqual([state.shape, state.normalization, state.mode, state.source], [EXAMPLE.shape, "batch", "training", "example"]);
  assert.deepEqual(plain(state.running), { means: [0, 0], variances: [1, 1] });
});

test("a sheet that its source cannot fill is filled with generated numbers, always the same", () => {
  const [first, second] = [begin({ shape: [3, 2, 2, 2] }), begin({ source: "network", shape: [3, 2, 2, 2] })];
  assert.deepEqual([first.source, second.source], ["random", "random"]);
  assert.deepEqual([...first.values], [...second.values]);
  assert.equal(begin({ source: "network", shape: [2, 4, 1, 1] }).source, "network");
});

test("values of the trained network come with what it keeps", () => {
  const { running, values } = begin({ source: "network", shape: [2, 2, 1, 1] });
  assert.deepEqual(plain(running), { means: [1, 2], variances: [4, 9] });
  assert.deepEqual([...values], [0, 0.5, 2, 2.5]); // the first row and column of the first channels
});

test("the groups are the most that divide the channels and are asked for", () => {
  const groups = (C, asked) => begin({ shape: [1, C, 1, 1], groups: asked }).groups;
  assert.deepEqual([groups(6, 4), groups(4, 4), groups(7, 6)], [3, 4, 1]);
});

test("in evaluation batch normalization uses what it keeps, and the others what they used in training", () => {
  const kept = begin({ mode: "evaluation" });
  assert.deepEqual([...used(kept).means], [0, 0]);
  assert.equal(furthest(normalized(kept), EXAMPLE.values) < 1e-4, true); // of mean 0 and variance 1
  for (const normalization of ["layer", "group", "instance"]) {
    assert.deepEqual(normalized(begin({ normalization, mode: "evaluation" })), normalized(begin({ normalization })));
  }
});

test("only in evaluation, or with statistics of its own, does an image not depend on another", () => {
  const alone = (choices) => independent(begin(choices));
  assert.deepEqual([alone({}), alone({ mode: "evaluation" }), alone({ normalization: "layer" })], [false, true, true]);
  for (const choices of [{}, { mode: "evaluation" }, { normalization: "group" }]) {
    const [before, after] = [begin(choices), begin(choices)];
    after.values[15] = 100; // in the last image
    assert.equal(furthest(normalized(before).slice(0, 8), normalized(after).slice(0, 8)) === 0, independent(before));
  }
});

test("training steps lead to the statistics of the batch", () => {
  assert.equal(furthest([...trained(begin(), 1).running.means], [0.4, 0.3]) < 1e-12, true); // of 4 and 3
  const { running } = trained(begin(), 200);
  assert.equal(furthest([...running.means], [4, 3]) < 1e-6, true);
  assert.equal(furthest([...running.variances], [(5 * 8) / 7, (5 * 8) / 7]) < 1e-6, true); // unbiased
});

test("a value is followed to its result", () => {
  const state = { ...begin({ mode: "evaluation" }), gamma: [2, 3], beta: [1, 5] };
  const { image, channel, row, column, x, result } = follow(state, used(state), 13);
  assert.deepEqual([image, channel, row, column, x], [1, 1, 0, 1, 2]);
  assert.equal(result, output(state)[13]);
  assert.equal(Math.abs(result - 11) < 1e-3, true);
});

// Each task: how it begins, states that do not solve it, and states that do.
const withoutNormalization = (state, channel) => {
  const { means, deviations } = used(state);
  const [gamma, beta] = [[1, 1], [0, 0]];
  [gamma[channel], beta[channel]] = [deviations[channel], means[channel]];
  return { ...state, gamma, beta };
};
const CASES = {
  alone: [
    [begin({ shape: [1, 2, 2, 2], normalization: "layer" })],
    [begin({ mode: "evaluation" }), begin({ normalization: "layer" }), begin({ normalization: "group" })],
  ],
  back: [
    [begin({ mode: "evaluation" }), withoutNormalization(begin({ mode: "evaluation" }), 1), withoutNormalization(begin({ normalization: "layer" }), 0)],
    [withoutNormalization(begin(), 0), withoutNormalization(begin(), 1)],
  ],
  running: [
    [begin({ mode: "evaluation" }), trained(begin(), 50), begin({ normalization: "layer", mode: "evaluation" }), trained(begin({ mode: "evaluation" }), 10)],
    [trained(begin({ mode: "evaluation" }), 50)],
  ],
  zero: [
    [begin({ shape: [1, 2, 1, 1], normalization: "layer" }), begin({ shape: [2, 2, 1, 1] }), begin({ shape: [1, 2, 1, 1], mode: "evaluation" })],
    [begin({ shape: [1, 2, 1, 1] }), begin({ shape: [2, 2, 1, 1], normalization: "instance" }), begin({ shape: [2, 1, 1, 1], normalization: "layer" })],
  ],
};

test("every task has its cases", () => assert.deepEqual(Object.keys(CASES), Object.keys(tasks)));

for (const [name, [unsolved, solved]] of Object.entries(CASES)) {
  test(`the task "${tasks[name].title}" notices when it is solved, and says why`, () => {
    for (const [i, state] of [begin(), ...unsolved].entries()) assert.equal(tasks[name].solved(state), false, `unsolved ${i}`);
    for (const [i, state] of solved.entries()) {
      assert.equal(tasks[name].solved(state), true, `solved ${i}`);
      assert.match(tasks[name].why(state), /^[A-Z].*\.$/);
    }
  });
}

const STATES = [
  begin({ task: "alone" }),
  begin({ normalization: "group", groups: 1, view: "output", scope: "one", kept: 7 }),
  begin({ source: "network", shape: [2, 4, 2, 2], groups: 4 }),
  begin({ shape: [6, 8, 4, 4], mode: "evaluation" }),
  trained(begin(), 3),
  { ...begin(), gamma: Float64Array.of(2.5, 1), beta: Float64Array.of(0, -3) },
  { ...begin(), values: Float64Array.from(EXAMPLE.values).with(3, -7.25).with(15, 100) },
];

for (const [i, state] of STATES.entries()) {
  test(`state ${i} comes back from the address that it is written to`, () => {
    const end = address.write(state);
    assert.match(end, /^#explorer\?[\w=&.,:-]+$/);
    const rounded = (value) => (typeof value === "number" ? Number(value.toFixed(4)) : value);
    const near = (held) => JSON.parse(JSON.stringify(plain(held)), (_, value) => rounded(value));
    assert.deepEqual(near(address.read(end)), near(state));
  });
}

test("the state in which it begins has no address, and other addresses are not its own", () => {
  assert.equal(address.write(begin()), "");
  for (const end of ["", "#", "#sec-evaluation", "#explorer", "#explore?N=3"]) assert.equal(address.read(end), null);
});

test("what is wrong in an address is left out, and the rest holds", () => {
  const wrong = [
    "normalization=weight", "normalization=__proto__", "mode=", "task=constructor", "source=etc", "view=<img src=x>", "scope=two",
    "N=0", "N=7", "N=-1", "N=1e1", "N=2.5", "C=9", "C=", "H=99", "H=NaN", "groups=0", "groups=1000000", "kept=-1", "kept=x",
    "x=99:1", "x=0:NaN", "x=0:1e9", "x=0", "x=:", "x=,,,", "gamma=1", "gamma=1,2,3", "gamma=a,b", "gamma=,", "beta=Infinity,0",
    "beta=1001,0", "means=0", "variances=-1,1", "variances=,", "pointed=3", "values=1", "shape=1", "%E0%A4%A", "&&==&", "💥",
  ];
  for (const part of wrong) {
    assert.deepEqual(plain(address.read(`#explorer?${part}`)), plain(begin()), part);
    const { normalization, shape } = address.read(`#explorer?${part}&normalization=layer&N=1`);
    if (!/^(normalization|N)=/.test(part)) assert.deepEqual([normalization, shape[0]], ["layer", 1], part);
  }
  assert.equal(address.read("#explorer?kept=9999").kept, 15);
  assert.equal(address.read("#explorer?C=6&groups=4").groups, 3);
  assert.equal(evaluating(address.read("#explorer?mode=evaluation&mode=x")), true);
});

test("what a layer keeps is said, what a step makes of it, and why there is none", () => {
  assert.match(sentences.keeping(begin(), 0), /running mean 0 and the running variance 1\. .* 0\.9 · 0 \+ 0\.1 · 4 and 0\.9 · 1 \+ 0\.1 · 5\.7143,/);
  assert.match(sentences.keeping(begin({ mode: "evaluation" }), 0), /no steps\.$/);
  assert.match(sentences.keeping(begin({ shape: [1, 2, 1, 1] }), 0), /No step is possible/);
  assert.match(sentences.keeping(begin({ normalization: "layer" }), 0), /^Layer normalization keeps nothing/);
});

test("the counts are put into words", () => {
  const said = (choices, size) => sentences.idea(begin(choices), size)[1];
  assert.equal(said({}, 8), "C = 2 means and 2 standard deviations, each over N·H·W = 8 values.");
  assert.equal(said({ shape: [1, 2, 2, 2], normalization: "layer" }, 8), "N = 1 mean and 1 standard deviation, each over C·H·W = 8 values.");
  assert.equal(said({ mode: "evaluation" }, 8), "C = 2 stored means and 2 stored variances.");
  assert.match(said({ shape: [1, 2, 1, 1] }, 1), /= 1 value\.$/);
  assert.equal(said({ normalization: "invented" }, 2), "N·H·W = 8 root mean squares, each over C = 2 values.");
});
