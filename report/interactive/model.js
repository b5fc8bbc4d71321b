// The network of the study with all that training changes: the page's twin of normstudy/model.py.
"use strict";

globalThis.model = (function script() {
  const { kinds, storesStatistics } = globalThis.layers;
  const { EPSILON } = globalThis.normalization;

  const NORMALIZED_CHANNELS = [8, 12, 16, 16, 16];
  const TRAINED = ["weight", "bias", "gamma", "beta"]; // running statistics follow the batches instead

  /** Numbers from 0 to 1, always the same ones for one seed (Mulberry32, by Tommy Ettinger). */
  function random(seed) {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  const filled = (length, value) => new Float64Array(length).fill(value);

  /** How PyTorch begins: uniform between ±1/√fan-in. */
  const uniform = (length, fan, draw) => Float64Array.from({ length }, () => (2 * draw() - 1) / Math.sqrt(fan));

  /** Normal with the variance 2/fan-in, which keeps the size of activations from one ReLU to the next (He et al., 2015). */
  const normal = (length, fan, draw) =>
    Float64Array.from({ length }, () => Math.sqrt((2 / fan) * -2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()));

  function convolution(shape, { stride = 1, padding = 0, groups = 1, bias = false, he = false }, draw) {
    const fan = shape[1] * shape[2] * shape[3];
    const arrays = { weight: (he ? normal : uniform)(shape[0] * fan, fan, draw) };
    if (bias) arrays.bias = he ? filled(shape[0], 0) : uniform(shape[0], fan, draw);
    return { kind: "convolution", shape, stride: [stride, stride], padding: [padding, padding], dilation: [1, 1], groups, arrays };
  }

  function normalization(name, channels, groups, ghostBatchSize) {
    if (name === "none") return { kind: "identity", arrays: {} };
    const arrays = { gamma: filled(channels, 1), beta: filled(channels, 0) };
    if (storesStatistics(name)) Object.assign(arrays, { means: filled(channels, 0), variances: filled(channels, 1) });
    return { kind: "normalization", normalization: name, groups, ghostBatchSize, epsilon: EPSILON, arrays };
  }

  /** The layers of a new network for images (N, 1, 28, 28), as the parameters of a variant ask for it. */
  function build({ norm_arg: name, groups, depth, initialization, ghost_batch_size: ghostBatchSize }, draw) {
    const block = (from, to, { stride = 1, padding = 1 } = {}) => [
      convolution([to, from, 3, 3], { stride, padding, bias: name === "none", he: initialization === "he" }, draw),
      normalization(name, to, groups, ghostBatchSize),
      { kind: "relu", arrays: {} },
    ];
    const [a, b, c, d, e] = NORMALIZED_CHANNELS;
    const layers = [
      ...block(1, a, { stride: 2 }), // (N, 8, 14, 14)
      ...block(a, b),
      ...block(b, c), // (N, 16, 14, 14)
      { kind: "maximum", size: 2, stride: 2, arrays: {} }, // (N, 16, 7, 7)
      ...block(c, d),
      ...Array.from({ length: depth }, () => block(d, d)).flat(),
      ...block(d, e, { padding: 0 }), // (N, 16, 5, 5)
      convolution([e, 1, 5, 5], { groups: e }, draw), // (N, 16, 1, 1)
      { kind: "linear", arrays: { weight: uniform(10 * e, e, draw), bias: uniform(10, e, draw) } },
    ];
    layers[0].first = true;
    for (const layer of layers) {
      layer.gradients = {};
      for (const [array, values] of Object.entries(layer.arrays)) if (TRAINED.includes(array)) layer.gradients[array] = filled(values.length, 0);
    }
    return layers;
  }

  /** What each layer makes of images in training, evaluation or alone (see layers.js): the images themselves, then the output of each layer. The last are the logits. */
  function forward(layers, images, mode) {
    const passed = [images];
    for (const layer of layers) passed.push(kinds[layer.kind].forward(passed.at(-1), layer, mode));
    return passed;
  }

  /** From the loss's gradient by the logits, add those by all that training changes to each layer's `gradients`. */
  function backward(layers, passed, gradient) {
    for (let i = layers.length - 1; i >= 0; i--) gradient = kinds[layers[i].kind].backward(gradient, passed[i], passed[i + 1], layers[i]);
  }

  /** All that training changes: each array with its gradients, and whether the penalties cover it. */
  const parameters = (layers) =>
    layers.flatMap(({ arrays, gradients }) =>
      Object.entries(gradients).map(([name, found]) => ({ values: arrays[name], gradients: found, penalized: name === "weight" })));

  return Object.freeze({ script, random, build, forward, backward, parameters });
})();
