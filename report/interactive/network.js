// A trained network in the page: the layers that normstudy/display/page_data.py describes, run one after another for one image.
// A map is { shape: [C, H, W], values }, values in row-major order.
"use strict";

globalThis.network = (() => {
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
  const outputLength = (length, kernel, stride, padding, dilation) =>
    Math.floor((length + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

  function convolution({ shape: [, H, W], values }, { stride, padding, dilation, groups, shape, arrays: { weight, bias } }) {
    const [K, wide, R, S] = shape; // K filters that each look at `wide` channels
    const [P, Q] = [outputLength(H, R, stride[0], padding[0], dilation[0]), outputLength(W, S, stride[1], padding[1], dilation[1])];
    const result = new Float64Array(K * P * Q);
    for (let k = 0; k < K; k++) {
      const first = Math.floor(k / (K / groups)) * wide;
      for (let p = 0; p < P; p++) {
        for (let q = 0; q < Q; q++) {
          let sum = bias ? bias[k] : 0;
          for (let c = 0; c < wide; c++) {
            for (let r = 0; r < R; r++) {
              const h = p * stride[0] - padding[0] + r * dilation[0];
              if (h < 0 || h >= H) continue;
              for (let s = 0; s < S; s++) {
                const w = q * stride[1] - padding[1] + s * dilation[1];
                if (w >= 0 && w < W) sum += weight[((k * wide + c) * R + r) * S + s] * values[((first + c) * H + h) * W + w];
              }
            }
          }
          result[(k * P + p) * Q + q] = sum;
        }
      }
    }
    return { shape: [K, P, Q], values: result };
  }

  function pool({ shape: [C, H, W], values }, { size, stride }, join) {
    const [[R, S], [down, right]] = [pair(size), pair(stride)];
    const [P, Q] = [outputLength(H, R, down, 0, 1), outputLength(W, S, right, 0, 1)];
    const result = Float64Array.from({ length: C * P * Q }, (_, i) => {
      const [c, p, q] = [Math.floor(i / (P * Q)), Math.floor(i / Q) % P, i % Q];
      const window = [];
      for (let r = 0; r < R; r++) for (let s = 0; s < S; s++) window.push(values[(c * H + p * down + r) * W + q * right + s]);
      return join(window);
    });
    return { shape: [C, P, Q], values: result };
  }

  const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function linear({ values }, { arrays: { weight, bias } }) {
    const rows = weight.length / values.length;
    const result = Float64Array.from({ length: rows }, (_, row) =>
      values.reduce((sum, value, i) => sum + value * weight[row * values.length + i], bias ? bias[row] : 0));
    return { shape: [rows, 1, 1], values: result };
  }

  /** Batch normalization in evaluation mode: its stored statistics, one of each a channel. */
  function storedStatistics({ shape: [C, H, W] }, { epsilon, arrays: { means, variances } }) {
    const sets = Int32Array.from({ length: C * H * W }, (_, i) => Math.floor(i / (H * W)));
    return { sets, means, deviations: variances.map((variance) => Math.sqrt(variance + epsilon)) };
  }

  /**
   * The logits of one image and the statistics that each normalization layer used.
   *
   * `pixels` are 28×28 numbers from 0 to 255; `mean` and `std` those of the training pixels, from 0 to 1.
   */
  function run(layers, pixels, mean, std) {
    const side = Math.sqrt(pixels.length);
    let map = { shape: [1, side, side], values: Float64Array.from(pixels, (pixel) => (pixel / 255 - mean) / std) };
    const statistics = [];
    for (const layer of layers) {
      if (layer.kind === "batch" || layer.kind === "group") {
        const shape = [1, ...map.shape];
        const found = layer.kind === "batch"
          ? storedStatistics(map, layer)
          : globalThis.normalization.statistics(map.values, shape, "group", layer.groups, layer.epsilon);
        const { gamma, beta } = layer.arrays;
        statistics.push({ shape: map.shape, means: [...found.means], deviations: [...found.deviations] });
        map = { shape: map.shape, values: globalThis.normalization.normalize(map.values, shape, found, gamma, beta) };
      } else if (layer.kind === "convolution") map = convolution(map, layer);
      else if (layer.kind === "relu") map = { shape: map.shape, values: map.values.map((value) => Math.max(0, value)) };
      else if (layer.kind === "maximum") map = pool(map, layer, (window) => Math.max(...window));
      else if (layer.kind === "average") map = pool(map, layer, average);
      else if (layer.kind === "average over all") map = pool(map, { size: map.shape.slice(1), stride: 1 }, average);
      else if (layer.kind === "linear") map = linear(map, layer);
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
