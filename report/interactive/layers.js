// The layers of normstudy/model.py, each a pair of functions: `forward` gives what a layer makes of x, `backward` the gradient
// of the loss by x from that by y, and adds those by the layer's own numbers to `layer.gradients`.
// A tensor is { shape: [N, C, H, W], values }, values in row-major order.
"use strict";

globalThis.layers = (function script() {
  const { sharingSets, runLength, statistics, normalize, apart, centred, MOMENTUM, unbiased } = globalThis.normalization;
  const { matrix, multiply, arrays } = globalThis.multiplication;

  const zeros = (shape) => ({ shape, values: new Float64Array(shape.reduce((product, length) => product * length, 1)) });

  // Convolution: y = Σ weight · x over the pixels that a filter sees. All these patches, as a matrix, times the filters.

  const outputLength = (length, kernel, stride, padding, dilation) =>
    Math.floor((length + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

  const fours = (length) => 4 * Math.ceil(length / 4);

  // A box of numbers in an array: from `start`, so many planes, rows and columns, each so much further than the one before.

  const box = (values, start, counts, [plane, row, column]) => ({ values, start, counts, plane, row, column });

  /** Add the numbers of one box to those of another. */
  function add(from, to) {
    const { values: source, counts: [planes, rows, columns], column: right } = from;
    const { values: target, column: over } = to;
    for (let i = 0; i < planes; i++) {
      for (let j = 0; j < rows; j++) {
        const s = from.start + i * from.plane + j * from.row;
        const t = to.start + i * to.plane + j * to.row;
        for (let k = 0; k < columns; k++) target[t + k * over] += source[s + k * right];
      }
    }
  }

  /**
   * How a convolution is a product: its lengths, and where its numbers lie. K filters look at `wide` of C channels, R×S pixels, at P×Q places.
   *
   * With stride 1, the patches are rows of the padded image itself, which overlap: what a filter's pixel sees, from the first
   * place to the last, lies `along` one after another. So they are not copied, and places that a stride leaves out are ignored.
   * `own` filters of a group and their `inner` numbers are rounded up to fours, as products want them; what is too much is 0.
   */
  function plan([N, C, H, W], { shape: [K, wide, R, S], stride, padding, dilation, groups }) {
    const P = outputLength(H, R, stride[0], padding[0], dilation[0]);
    const Q = outputLength(W, S, stride[1], padding[1], dilation[1]);
    const [high, broad, filters, patch] = [H + 2 * padding[0], W + 2 * padding[1], K / groups, wide * R * S];
    const along = fours((P - 1) * stride[0] * broad + (Q - 1) * stride[1] + 1);
    const [own, inner] = [fours(filters), fours(patch)];
    const seenFrom = (i) => (Math.floor(i / (R * S)) * high + (Math.floor(i / S) % R) * dilation[0]) * broad + (i % S) * dilation[1];
    const starts = Int32Array.from({ length: inner }, (_, i) => (i < patch ? seenFrom(i) : 0));
    const [ofImage, ofPlaces, ofFilters] = [[wide, H, W], [filters, P, Q], [filters, 1, patch]];
    return {
      N, K, P, Q, along, own, inner, filters,
      room: wide * high * broad + 3, // the last row may be rounded up, too
      patches: (image) => matrix(image, inner, along, 0, 1, starts),
      channels: (x, n, group) => box(x, (n * C + group * wide) * H * W, ofImage, [H * W, W, 1]),
      padded: (image) => box(image, padding[0] * broad + padding[1], ofImage, [high * broad, broad, 1]),
      maps: (y, n, group) => box(y, (n * K + group * filters) * P * Q, ofPlaces, [P * Q, Q, 1]),
      places: (output) => box(output, 0, ofPlaces, [along, stride[0] * broad, stride[1]]),
      placesDown: (output) => box(output, 0, ofPlaces, [1, stride[0] * broad * own, stride[1] * own]),
      weights: (weight, group) => box(weight, group * filters * patch, ofFilters, [patch, 0, 1]),
      rows: (weights) => box(weights, 0, ofFilters, [inner, 0, 1]),
      columns: (weights) => box(weights, 0, ofFilters, [1, 0, own]),
    };
  }

  const convolution = {
    forward(x, layer) {
      const of = plan(x.shape, layer);
      const { weight, bias } = layer.arrays;
      const y = zeros([of.N, of.K, of.P, of.Q]);
      const [image, weights, output] = arrays(of.room, of.own * of.inner, of.own * of.along);
      const product = [matrix(weights, of.own, of.inner), of.patches(image), matrix(output, of.own, of.along)];
      for (let group = 0; group < layer.groups; group++) {
        add(of.weights(weight, group), of.rows(weights.fill(0)));
        for (let n = 0; n < of.N; n++) {
          add(of.channels(x.values, n, group), of.padded(image.fill(0)));
          output.fill(0);
          if (bias) for (let k = 0; k < of.filters; k++) output.fill(bias[group * of.filters + k], k * of.along, (k + 1) * of.along);
          multiply(...product);
          add(of.places(output), of.maps(y.values, n, group));
        }
      }
      return y;
    },

    backward(dy, x, y, layer) {
      const of = plan(x.shape, layer);
      const { weight, bias } = layer.gradients;
      const dx = zeros(x.shape);
      const [weights, image, given, givenDown, byWeights, byImage] =
        arrays(of.own * of.inner, of.room, of.own * of.along, of.own * of.along, of.inner * of.own, of.room);
      const productByWeights = [of.patches(image), matrix(givenDown, of.along, of.own), matrix(byWeights, of.inner, of.own)];
      const productByImage = [matrix(weights, of.inner, of.own, 1, of.inner), matrix(given, of.own, of.along), of.patches(byImage)];
      for (let group = 0; group < layer.groups; group++) {
        add(of.weights(layer.arrays.weight, group), of.rows(weights.fill(0)));
        byWeights.fill(0);
        for (let n = 0; n < of.N; n++) {
          add(of.channels(x.values, n, group), of.padded(image.fill(0)));
          add(of.maps(dy.values, n, group), of.placesDown(givenDown.fill(0)));
          multiply(...productByWeights);
          if (layer.first) continue; // nothing asks for the gradient by the images
          add(of.maps(dy.values, n, group), of.places(given.fill(0)));
          byImage.fill(0);
          multiply(...productByImage);
          add(of.padded(byImage), of.channels(dx.values, n, group));
        }
        add(of.columns(byWeights), of.weights(weight, group));
      }
      if (bias) for (let i = 0; i < dy.values.length; i++) bias[Math.floor(i / (of.P * of.Q)) % of.K] += dy.values[i];
      return dx;
    },
  };

  // Normalization. Statistics of fewer images: as in normstudy/model.py, the parts of a batch are further channels of a view.

  const remembered = new Map(); // who shares is the same in every step

  function setsOf(shape, { normalization, groups }) {
    const key = [normalization, groups, ...shape].join(" ");
    if (!remembered.has(key)) remembered.set(key, sharingSets(shape, normalization, groups));
    return remembered.get(key);
  }

  const storesStatistics = (normalization) => !apart(normalization).includes("N");

  const normalizing = {
    /** `mode` is training, evaluation, or alone: an evaluation in which each image has statistics of its own. */
    forward(x, layer, mode) {
      const { gamma, beta, means, variances } = layer.arrays;
      const [N, C, H, W] = x.shape;
      const shared = { training: layer.ghostBatchSize, alone: means && 1 }[mode];
      const parted = shared ? Math.max(1, Math.floor(N / shared)) : 1;
      const shape = [N / parted, C * parted, H, W];
      const sets = setsOf(shape, layer);
      if (mode !== "evaluation" || !means) {
        layer.found = statistics(x.values, shape, layer.normalization, layer.groups, layer.epsilon, sets);
        if (means && mode === "training") follow(layer.found, means, variances, parted);
      } else layer.found = { sets, run: runLength(shape, layer.normalization), means, deviations: variances.map((variance) => Math.sqrt(variance + layer.epsilon)) };
      return { shape: x.shape, values: normalize(x.values, x.shape, layer.found, gamma, beta) };
    },

    backward(dy, x, y, layer) {
      const { sets, run, size, means, deviations } = layer.found;
      const { gamma } = layer.arrays;
      const [{ values }, given] = [x, dy.values];
      const [, C, H, W] = x.shape;
      const [sums, products] = [new Float64Array(means.length), new Float64Array(means.length)];
      for (let start = 0; start < values.length; start += run) {
        const [c, set] = [Math.floor(start / (H * W)) % C, sets[start]];
        let [sum, product] = [0, 0];
        for (let i = start; i < start + run; i++) {
          sum += given[i];
          product += given[i] * (values[i] - means[set]);
        }
        product /= deviations[set];
        layer.gradients.gamma[c] += product;
        layer.gradients.beta[c] += sum;
        sums[set] += gamma[c] * sum;
        products[set] += gamma[c] * product;
      }
      // A value moves its set's mean and deviation too: dx = (γ·dy − mean(γ·dy) − x̂ · mean(γ·dy·x̂)) / σ.
      const dx = zeros(x.shape);
      for (let start = 0; start < values.length; start += run) {
        const [c, set] = [Math.floor(start / (H * W)) % C, sets[start]];
        const own = gamma[c] / deviations[set];
        const ofMean = centred(layer.normalization) ? sums[set] / size / deviations[set] : 0;
        const ofDeviation = products[set] / size / deviations[set] ** 2;
        for (let i = start; i < start + run; i++) dx.values[i] = own * given[i] - ofMean - (values[i] - means[set]) * ofDeviation;
      }
      return dx;
    },
  };

  /** Move the running statistics a little towards those of a batch, whose parts count alike; the variance unbiased. */
  function follow(found, means, variances, parted) {
    const C = means.length;
    for (let c = 0; c < C; c++) {
      let [mean, variance] = [0, 0];
      for (let set = c; set < found.means.length; set += C) {
        mean += found.means[set] / parted;
        variance += unbiased(found.variances[set], found.size) / parted;
      }
      means[c] += MOMENTUM * (mean - means[c]);
      variances[c] += MOMENTUM * (variance - variances[c]);
    }
  }

  // The others.

  const identity = { forward: (x) => x, backward: (dy) => dy };

  // A product with a truth, 1 or 0: a processor that had to guess which of the two comes would guess wrong half of the time.
  const relu = {
    forward(x) {
      const y = zeros(x.shape);
      for (let i = 0; i < y.values.length; i++) y.values[i] = x.values[i] * (x.values[i] > 0);
      return y;
    },

    backward(dy, x) {
      const dx = zeros(x.shape);
      for (let i = 0; i < dx.values.length; i++) dx.values[i] = dy.values[i] * (x.values[i] > 0);
      return dx;
    },
  };

  const pair = (size) => (Array.isArray(size) ? size : [size, size]);

  /** The shape of a pooling layer's output, and for each of its values where the largest one of its window is. */
  function largest({ shape: [N, C, H, W], values }, { size, stride }) {
    const [[R, S], [down, right]] = [pair(size), pair(stride)];
    const shape = [N, C, outputLength(H, R, down, 0, 1), outputLength(W, S, right, 0, 1)];
    const at = new Int32Array(N * C * shape[2] * shape[3]);
    for (let plane = 0, place = 0; plane < N * C; plane++) {
      for (let p = 0; p < shape[2]; p++) {
        for (let q = 0; q < shape[3]; q++, place++) {
          const start = (plane * H + p * down) * W + q * right;
          let best = start;
          for (let r = 0; r < R; r++) for (let s = 0; s < S; s++) if (!(values[start + r * W + s] <= values[best])) best = start + r * W + s;
          at[place] = best;
        }
      }
    }
    return { shape, at };
  }

  const maximum = {
    forward(x, layer) {
      layer.found = largest(x, layer);
      const y = zeros(layer.found.shape);
      for (let i = 0; i < y.values.length; i++) y.values[i] = x.values[layer.found.at[i]];
      return y;
    },

    backward(dy, x, y, layer) {
      const dx = zeros(x.shape);
      for (let i = 0; i < dy.values.length; i++) dx.values[layer.found.at[i]] += dy.values[i];
      return dx;
    },
  };

  /** y = x · weightᵀ + bias. */
  const linear = {
    forward(x, { arrays: { weight, bias } }) {
      const N = x.shape[0];
      const inner = x.values.length / N;
      const rows = weight.length / inner;
      const y = zeros([N, rows, 1, 1]);
      if (bias) for (let n = 0; n < N; n++) y.values.set(bias, n * rows);
      multiply(matrix(x.values, N, inner), matrix(weight, inner, rows, 1, inner), matrix(y.values, N, rows));
      return y;
    },

    backward(dy, x, y, layer) {
      const { weight, bias } = layer.gradients;
      const [N, rows] = dy.shape;
      const inner = x.values.length / N;
      const dx = zeros(x.shape);
      multiply(matrix(dy.values, N, rows), matrix(layer.arrays.weight, rows, inner), matrix(dx.values, N, inner));
      multiply(matrix(dy.values, rows, N, 1, rows), matrix(x.values, N, inner), matrix(weight, rows, inner));
      for (let i = 0; i < dy.values.length; i++) bias[i % rows] += dy.values[i];
      return dx;
    },
  };

  /** log Σ exp(logit): what makes probabilities of logits, log p = logit − logSum. */
  function logSum(logits) {
    const highest = Math.max(...logits); // taken out, so that no power is too large
    return highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
  }

  /** The mean over images of −log of the probability of each one's class, and its gradient by the logits, (p − truth) / N. */
  const crossEntropy = {
    forward({ shape: [N, classes], values }, labels) {
      let total = 0;
      for (let n = 0; n < N; n++) {
        const logits = values.subarray(n * classes, (n + 1) * classes);
        total += logSum(logits) - logits[labels[n]];
      }
      return total / N;
    },

    backward({ shape, values }, labels) {
      const [N, classes] = shape;
      const dx = zeros(shape);
      for (let n = 0; n < N; n++) {
        const logits = values.subarray(n * classes, (n + 1) * classes);
        const sum = logSum(logits);
        for (let k = 0; k < classes; k++) dx.values[n * classes + k] = (Math.exp(logits[k] - sum) - (k === labels[n])) / N;
      }
      return dx;
    },
  };

  const kinds = { convolution, normalization: normalizing, identity, relu, maximum, linear };

  return Object.freeze({ script, kinds, crossEntropy, zeros, storesStatistics, outputLength });
})();
