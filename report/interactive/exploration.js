// What the explorer holds, a plain object, and what follows from it, as pure functions.
"use strict";

globalThis.exploration = (() => {
  const { apart, centred, statistics, stored, updateRunning, normalize, divisors } = globalThis.normalization;

  const LARGEST = [6, 8, 4, 4]; // images, channels, rows and columns
  const START = { task: "", source: "example", normalization: "batch", mode: "training", groups: 2, view: "input", scope: "all", kept: 0, pointed: null };
  const CHOICES = { source: ["example", "network", "random"], mode: ["training", "evaluation"], view: ["input", "normalized", "output"], scope: ["all", "one"] };

  /** What a source has: the shape of its values, the values, and what of gamma, beta, means and variances goes with them. */
  function sourced(source) {
    const { example, activation } = globalThis.explorerData;
    return { example, network: activation, random: { shape: LARGEST } }[source];
  }

  /** Whether a source has as many images, channels, rows and columns. */
  const holds = (source, shape) => shape.every((length, dimension) => length <= sourced(source).shape[dimension]);

  /** Normally distributed numbers with two decimals, the same for the same seed (mulberry32; Box and Muller). */
  function generate(length, seed) {
    let state = seed;
    const uniform = () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return Float64Array.from({ length }, () => Math.round(100 * normal()) / 100);
  }

  /** The first images, channels, rows and columns of an activation, which has at least as many of each. */
  function excerpt(activation, [N, C, H, W]) {
    const [, channels, height, width] = activation.shape;
    return Float64Array.from({ length: N * C * H * W }, (_, i) => {
      const [n, c, h, w] = [Math.floor(i / (C * H * W)), Math.floor(i / (H * W)) % C, Math.floor(i / W) % H, i % W];
      return activation.values[((n * channels + c) * height + h) * width + w];
    });
  }

  /** What the explorer holds where these choices are made and nothing else has been done yet. */
  function begin(choices = {}) {
    const chosen = { ...START, shape: sourced(START.source).shape, ...choices };
    const { shape } = chosen;
    const [N, C, H, W] = shape;
    const source = holds(chosen.source, shape) ? chosen.source : "random";
    const { means, variances } = sourced(source);
    return {
      ...chosen,
      source,
      groups: Math.max(...divisors(C).filter((divisor) => divisor <= chosen.groups)),
      kept: Math.min(chosen.kept, N * C * H * W - 1),
      values: source === "random" ? generate(N * C * H * W, 1) : excerpt(sourced(source), shape),
      running: { // as PyTorch has them before the first step, where none are known
        means: Float64Array.from({ length: C }, (_, c) => means?.[c] ?? 0),
        variances: Float64Array.from({ length: C }, (_, c) => variances?.[c] ?? 1),
      },
      gamma: new Float64Array(C).fill(1),
      beta: new Float64Array(C),
    };
  }

  /** Whether the layer normalizes with what it has kept: only one whose images share keeps anything. */
  const keeps = (normalization) => !apart(normalization).includes("N");
  const evaluating = ({ normalization, mode }) => mode === "evaluation" && keeps(normalization);

  /** Whether the result of an image depends on no other image. */
  const independent = (state) => !keeps(state.normalization) || evaluating(state);

  /** The statistics of the batch itself, and those that the layer uses. */
  const ofBatch = ({ values, shape, normalization, groups }) => statistics(values, shape, normalization, groups);
  const used = (state) => (evaluating(state) ? stored(state.shape, state.running) : ofBatch(state));

  /** The state after so many training steps on its batch. */
  function trained(state, steps) {
    const found = ofBatch(state);
    let { running } = state;
    for (let step = 0; step < steps; step++) running = updateRunning(running, found);
    return { ...state, running };
  }

  const normalized = (state) => normalize(state.values, state.shape, used(state));
  const output = (state) => normalize(state.values, state.shape, used(state), state.gamma, state.beta);

  /** One value and what becomes of it, by the statistics that the layer uses. */
  function follow(state, found, index) {
    const { shape, values, gamma, beta } = state;
    const [, C, H, W] = shape;
    const block = Math.floor(index / (H * W));
    const place = { image: Math.floor(block / C), channel: block % C, row: Math.floor(index / W) % H, column: index % W };
    const set = found.sets[index];
    const [x, sum, mean] = [values[index], found.sums?.[set], found.means[set]];
    const [variance, deviation] = [found.variances[set], found.deviations[set]];
    const inner = (x - mean) / deviation;
    const [scale, shift] = [gamma[place.channel], beta[place.channel]];
    return {
      index, set, ...place, x, sum, mean, variance, deviation, normalized: inner, scale, shift, result: scale * inner + shift,
      evaluating: evaluating(state), centred: centred(state.normalization),
    };
  }

  return Object.freeze({ LARGEST, START, CHOICES, sourced, begin, keeps, evaluating, independent, ofBatch, used, trained, normalized, output, follow });
})();
