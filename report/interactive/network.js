// A trained network in the page: the layers that normstudy/display/page_data.py describes, run one after another for one image.
// What its layers compute is in layers.js, where the trainer has it from too.
"use strict";

globalThis.network = (() => {
  const { kinds, outputLength } = globalThis.layers;

  /** Numbers from base64 of little-endian float32. */
  function decode(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return Float64Array.from(new Float32Array(bytes.buffer));
  }

  /** Layers with their arrays decoded, ready to run. */
  function load(layers) {
    return layers.map((layer) => ({
      ...layer,
      arrays: Object.fromEntries(Object.entries(layer.arrays ?? {}).map(([name, text]) => [name, decode(text)])),
    }));
  }

  const pair = (size) => (Array.isArray(size) ? size : [size, size]);

  /** Means over windows. */
  function average({ shape: [N, C, H, W], values }, { size, stride }) {
    const [[R, S], [down, right]] = [pair(size), pair(stride)];
    const [P, Q] = [outputLength(H, R, down, 0, 1), outputLength(W, S, right, 0, 1)];
    const result = Float64Array.from({ length: N * C * P * Q }, (_, i) => {
      const start = (Math.floor(i / (P * Q)) * H + (Math.floor(i / Q) % P) * down) * W + (i % Q) * right;
      let sum = 0;
      for (let r = 0; r < R; r++) for (let s = 0; s < S; s++) sum += values[start + r * W + s];
      return sum / (R * S);
    });
    return { shape: [N, C, P, Q], values: result };
  }

  /**
   * The logits of one image and the statistics that each normalization layer used.
   *
   * `pixels` are 28×28 numbers from 0 to 255; `mean` and `std` those of the training pixels, from 0 to 1.
   */
  function run(layers, pixels, mean, std) {
    const side = Math.sqrt(pixels.length);
    let map = { shape: [1, 1, side, side], values: Float64Array.from(pixels, (pixel) => (pixel / 255 - mean) / std) };
    const statistics = [];
    for (const layer of layers) {
      if (layer.kind === "batch" || layer.kind === "group") {
        const found = layer.kind === "batch"
          ? globalThis.normalization.stored(map.shape, layer.arrays, layer.epsilon)
          : globalThis.normalization.statistics(map.values, map.shape, "group", layer.groups, layer.epsilon);
        const { gamma, beta } = layer.arrays;
        statistics.push({ shape: map.shape.slice(1), means: [...found.means], deviations: [...found.deviations] });
        map = { shape: map.shape, values: globalThis.normalization.normalize(map.values, map.shape, found, gamma, beta) };
      } else if (layer.kind === "average") map = average(map, layer);
      else if (layer.kind === "average over all") map = average(map, { size: map.shape.slice(2), stride: 1 });
      else if (layer.kind in kinds) map = kinds[layer.kind].forward(map, layer);
      else throw new RangeError(`a layer of the kind ${layer.kind} is not known here`);
    }
    return { logits: [...map.values], statistics };
  }

  /** Probabilities from logits. */
  function softmax(logits) {
    const largest = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  }

  return Object.freeze({ load, run, softmax });
})();
