// The layers of normstudy/model.py, each a pair of functions: `forward` gives what a layer makes of x, `backward` the gradient
// of the loss by x from that by y, and adds those by the layer's own numbers to `layer.gradients`.
// A tensor is { shape: [N, C, H, W], values }, values in row-major order.
"use strict";

globalThis.layers = (function script() {
  const { sharingSets, statistics, normalize, apart, centred, MOMENTUM, unbiased } = globalThis.normalization;

  const zeros = (shape) => ({ shape, values: new Float64Array(shape.reduce((product, length) => product * length, 1)) });

  // Matrices are views of an array: a row further is `down` numbers further, a column further `right`.

  const matrix = (values, start, rows, columns, down = columns, right = 1) => ({ values, start, rows, columns, down, right });
  const transposed = ({ values, start, rows, columns, down, right }) => matrix(values, start, columns, rows, right, down);

  /** Add A·B to C. */
  function multiply(A, B, C) {
    const [rows, columns] = [C.rows - (C.rows % 4), C.columns - (C.columns % 4)];
    for (let i = 0; i < rows; i += 4) for (let j = 0; j < columns; j += 4) multiplyBlock(A, B, C, i, j);
    for (let i = 0; i < C.rows; i++) for (let j = i < rows ? columns : 0; j < C.columns; j++) multiplyOne(A, B, C, i, j);
  }

  function multiplyOne(A, B, C, i, j) {
    let sum = 0;
    for (let t = 0; t < A.columns; t++) sum += A.values[A.start + i * A.down + t * A.right] * B.values[B.start + t * B.down + j * B.right];
    C.values[C.start + i * C.down + j * C.right] += sum;
  }

  /** Four rows and four columns of A·B at once: each number that is read is used four times, which is four times as fast. */
  function multiplyBlock(A, B, C, i, j) {
    const [a, b, c] = [A.values, B.values, C.values];
    const [aDown, aRight, bDown, bRight, inner] = [A.down, A.right, B.down, B.right, A.columns];
    let [p, q] = [A.start + i * aDown, B.start + j * bRight];
    let c00 = 0, c01 = 0, c02 = 0, c03 = 0, c10 = 0, c11 = 0, c12 = 0, c13 = 0;
    let c20 = 0, c21 = 0, c22 = 0, c23 = 0, c30 = 0, c31 = 0, c32 = 0, c33 = 0;
    for (let t = 0; t < inner; t++, p += aRight, q += bDown) {
      const b0 = b[q], b1 = b[q + bRight], b2 = b[q + 2 * bRight], b3 = b[q + 3 * bRight];
      const a0 = a[p], a1 = a[p + aDown], a2 = a[p + 2 * aDown], a3 = a[p + 3 * aDown];
      c00 += a0 * b0; c01 += a0 * b1; c02 += a0 * b2; c03 += a0 * b3;
      c10 += a1 * b0; c11 += a1 * b1; c12 += a1 * b2; c13 += a1 * b3;
      c20 += a2 * b0; c21 += a2 * b1; c22 += a2 * b2; c23 += a2 * b3;
      c30 += a3 * b0; c31 += a3 * b1; c32 += a3 * b2; c33 += a3 * b3;
    }
    const right = C.right;
    let o = C.start + i * C.down + j * right;
    c[o] += c00; c[o + right] += c01; c[o + 2 * right] += c02; c[o + 3 * right] += c03; o += C.down;
    c[o] += c10; c[o + right] += c11; c[o + 2 * right] += c12; c[o + 3 * right] += c13; o += C.down;
    c[o] += c20; c[o + right] += c21; c[o + 2 * right] += c22; c[o + 3 * right] += c23; o += C.down;
    c[o] += c30; c[o + right] += c31; c[o + 2 * right] += c32; c[o + 3 * right] += c33;
  }

  // Convolution: the patches that the filters see, as a matrix, times the filters.

  const outputLength = (length, kernel, stride, padding, dilation) =>
    Math.floor((length + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

  /** All lengths of a convolution: K filters look at `wide` of the C channels, R×S pixels, at P×Q places. */
  function lengths([N, C, H, W], { shape: [K, wide, R, S], stride, padding, dilation, groups }) {
    const P = outputLength(H, R, stride[0], padding[0], dilation[0]);
    const Q = outputLength(W, S, stride[1], padding[1], dilation[1]);
    return { N, C, H, W, K, wide, R, S, P, Q, own: K / groups, inner: wide * R * S, places: P * Q };
  }

  /** Call `visit` for each row of patches at each row of places, with those columns of places that see no padding. */
  function walk({ H, W, wide, R, S, P, Q }, { stride, padding, dilation }, visit) {
    for (let c = 0, row = 0; c < wide; c++) {
      for (let r = 0; r < R; r++) {
        for (let s = 0; s < S; s++, row++) {
          const shift = s * dilation[1] - padding[1];
          const first = Math.max(0, Math.ceil(-shift / stride[1]));
          const end = Math.min(Q, Math.ceil((W - shift) / stride[1]));
          for (let p = 0; p < P; p++) {
            const h = p * stride[0] + r * dilation[0] - padding[0];
            if (h >= 0 && h < H) visit((row * P + p) * Q, (c * H + h) * W + shift, first, end, stride[1]);
          }
        }
      }
    }
  }

  /** Each group of filters for each image: its patches (filled in), its filters, and its part of an output. */
  function* parts(x, y, weight, layer, size) {
    const { N, C, H, W, K, wide, own, inner, places } = size;
    const patches = new Float64Array(inner * places); // padding stays 0
    for (let n = 0; n < N; n++) {
      for (let group = 0; group < layer.groups; group++) {
        const start = (n * C + group * wide) * H * W;
        walk(size, layer, (to, from, first, end, step) => {
          for (let q = first; q < end; q++) patches[to + q] = x.values[start + from + q * step];
        });
        yield {
          start,
          patches: matrix(patches, 0, inner, places),
          filters: matrix(weight, group * own * inner, own, inner),
          output: matrix(y.values, (n * K + group * own) * places, own, places),
        };
      }
    }
  }

  const convolution = {
    forward(x, layer) {
      const size = lengths(x.shape, layer);
      const { weight, bias } = layer.arrays;
      const y = zeros([size.N, size.K, size.P, size.Q]);
      if (bias) for (let i = 0; i < y.values.length; i++) y.values[i] = bias[Math.floor(i / size.places) % size.K];
      for (const { patches, filters, output } of parts(x, y, weight, layer, size)) multiply(filters, patches, output);
      return y;
    },

    backward(dy, x, y, layer) {
      const size = lengths(x.shape, layer);
      const { weight, bias } = layer.gradients;
      const dx = zeros(x.shape);
      const seen = new Float64Array(size.inner * size.places); // the gradient by the patches
      for (const { start, patches, filters, output } of parts(x, dy, layer.arrays.weight, layer, size)) {
        multiply(output, transposed(patches), matrix(weight, filters.start, size.own, size.inner));
        if (layer.first) continue; // nothing asks for the gradient by the images
        multiply(transposed(filters), output, matrix(seen.fill(0), 0, size.inner, size.places));
        walk(size, layer, (to, from, first, end, step) => {
          for (let q = first; q < end; q++) dx.values[start + from + q * step] += seen[to + q];
        });
      }
      if (bias) for (let i = 0; i < dy.values.length; i++) bias[Math.floor(i / size.places) % size.K] += dy.values[i];
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
      } else layer.found = { sets, means, deviations: variances.map((variance) => Math.sqrt(variance + layer.epsilon)) };
      return { shape: x.shape, values: normalize(x.values, x.shape, layer.found, gamma, beta) };
    },

    backward(dy, x, y, layer) {
      const { sets, size, means, deviations } = layer.found;
      const { gamma } = layer.arrays;
      const [, C, H, W] = x.shape;
      const [sums, products] = [new Float64Array(means.length), new Float64Array(means.length)];
      const meansMove = centred(layer.normalization);
      for (let start = 0, c = 0; start < x.values.length; start += H * W, c = (c + 1) % C) {
        for (let i = start; i < start + H * W; i++) {
          const set = sets[i];
          const normalized = (x.values[i] - means[set]) / deviations[set];
          layer.gradients.gamma[c] += dy.values[i] * normalized;
          layer.gradients.beta[c] += dy.values[i];
          sums[set] += gamma[c] * dy.values[i];
          products[set] += gamma[c] * dy.values[i] * normalized;
        }
      }
      // A value moves its set's mean and deviation too: what all of the set would gain by that is taken off.
      const dx = zeros(x.shape);
      for (let start = 0, c = 0; start < x.values.length; start += H * W, c = (c + 1) % C) {
        for (let i = start; i < start + H * W; i++) {
          const set = sets[i];
          const normalized = (x.values[i] - means[set]) / deviations[set];
          const moved = (meansMove ? sums[set] : 0) + normalized * products[set];
          dx.values[i] = (gamma[c] * dy.values[i] - moved / size) / deviations[set];
        }
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

  const relu = {
    forward(x) {
      const y = zeros(x.shape);
      for (let i = 0; i < y.values.length; i++) y.values[i] = Math.max(0, x.values[i]);
      return y;
    },

    backward(dy, x) {
      const dx = zeros(x.shape);
      for (let i = 0; i < dx.values.length; i++) if (x.values[i] > 0) dx.values[i] = dy.values[i];
      return dx;
    },
  };

  const pair = (size) => (Array.isArray(size) ? size : [size, size]);

  /** Call `visit` with each place of a pooling layer's output and where the largest value of its window is. */
  function largest({ shape: [N, C, H, W], values }, { size, stride }, visit) {
    const [[R, S], [down, right]] = [pair(size), pair(stride)];
    const [P, Q] = [outputLength(H, R, down, 0, 1), outputLength(W, S, right, 0, 1)];
    for (let place = 0; place < N * C * P * Q; place++) {
      const start = (Math.floor(place / (P * Q)) * H + (Math.floor(place / Q) % P) * down) * W + (place % Q) * right;
      let best = start;
      for (let r = 0; r < R; r++) for (let s = 0; s < S; s++) if (!(values[start + r * W + s] <= values[best])) best = start + r * W + s;
      visit(place, best);
    }
    return [N, C, P, Q];
  }

  const maximum = {
    forward(x, layer) {
      const found = [];
      const shape = largest(x, layer, (place, best) => found.push(x.values[best]));
      return { shape, values: Float64Array.from(found) };
    },

    backward(dy, x, y, layer) {
      const dx = zeros(x.shape);
      largest(x, layer, (place, best) => (dx.values[best] += dy.values[place]));
      return dx;
    },
  };

  const linear = {
    forward(x, { arrays: { weight, bias } }) {
      const N = x.shape[0];
      const inner = x.values.length / N;
      const rows = weight.length / inner;
      const y = zeros([N, rows, 1, 1]);
      if (bias) for (let n = 0; n < N; n++) y.values.set(bias, n * rows);
      multiply(matrix(x.values, 0, N, inner), transposed(matrix(weight, 0, rows, inner)), matrix(y.values, 0, N, rows));
      return y;
    },

    backward(dy, x, y, { arrays, gradients: { weight, bias } }) {
      const [N, rows] = dy.shape;
      const inner = x.values.length / N;
      const dx = zeros(x.shape);
      const given = matrix(dy.values, 0, N, rows);
      multiply(given, matrix(arrays.weight, 0, rows, inner), matrix(dx.values, 0, N, inner));
      multiply(transposed(given), matrix(x.values, 0, N, inner), matrix(weight, 0, rows, inner));
      for (let i = 0; i < dy.values.length; i++) bias[i % rows] += dy.values[i];
      return dx;
    },
  };

  /** The mean over images of −log of the probability of each one's class, and its gradient by the logits. */
  const crossEntropy = {
    forward({ shape: [N, classes], values }, labels) {
      let total = 0;
      for (let n = 0; n < N; n++) {
        const logits = values.subarray(n * classes, (n + 1) * classes);
        const highest = Math.max(...logits);
        total += highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0)) - logits[labels[n]];
      }
      return total / N;
    },

    backward({ shape, values }, labels) {
      const [N, classes] = shape;
      const dx = zeros(shape);
      for (let n = 0; n < N; n++) {
        const logits = values.subarray(n * classes, (n + 1) * classes);
        const highest = Math.max(...logits);
        const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
        for (let k = 0; k < classes; k++) dx.values[n * classes + k] = (Math.exp(logits[k] - highest) / sum - (k === labels[n])) / N;
      }
      return dx;
    },
  };

  const kinds = { convolution, normalization: normalizing, identity, relu, maximum, linear };

  return Object.freeze({ script, kinds, crossEntropy, zeros, storesStatistics, outputLength });
})();
