// What a normalization layer computes, as pure functions: the page's twin of normstudy/statistics.py.
// A tensor is its shape [N, C, H, W] and its values in row-major order; K is the number of sets that share statistics.
"use strict";

globalThis.normalization = (function script() {
  const EPSILON = 1e-5; // PyTorch's defaults
  const MOMENTUM = 0.1;

  const sizes = ([N, C, H, W], groups) => ({ N, C, G: groups, H, W });

  /** What normstudy/normalizations.py says of a normalization. */
  function about(normalization) {
    const known = globalThis.explorerData.normalizations;
    if (!(normalization in known)) throw new RangeError(`normalization is ${normalization}; it must be one of ${Object.keys(known).join(", ")}`);
    return known[normalization];
  }

  /** In which letters values agree that share, and whether their mean is subtracted. */
  const apart = (normalization) => about(normalization).apart;
  const centred = (normalization) => about(normalization).centred;

  /** How many means, and as many standard deviations: C, N, N·G or N·C. */
  function count(shape, normalization, groups = 1) {
    return apart(normalization).reduce((product, letter) => product * sizes(shape, groups)[letter], 1);
  }

  /** The number of each value's set, from 0 to K − 1: values with the same number share a mean and a standard deviation. */
  function sharingSets(shape, normalization, groups = 1) {
    const [N, C, H, W] = shape;
    const letters = apart(normalization);
    if (letters.includes("G") && C % groups !== 0) throw new RangeError(`groups is ${groups}; it must divide the ${C} channels`);
    const size = sizes(shape, groups);
    return Int32Array.from({ length: N * C * H * W }, (_, i) => {
      const block = Math.floor(i / (H * W));
      const c = block % C;
      const place = { N: Math.floor(block / C), C: c, G: Math.floor((c * groups) / C), H: Math.floor(i / W) % H, W: i % W };
      return letters.reduce((set, letter) => set * size[letter] + place[letter], 0);
    });
  }

  /** How many values, one after another, are always in the same set: those of a channel of an image, or each place alone. */
  function runLength([, , H, W], normalization) {
    const letters = apart(normalization);
    return letters.includes("W") ? 1 : letters.includes("H") ? W : H * W;
  }

  /** Sum, mean (0 where none is subtracted), biased variance and standard deviation (ε under the root) of every set; `sets` may be known already. */
  function statistics(values, shape, normalization, groups = 1, epsilon = EPSILON, sets = sharingSets(shape, normalization, groups)) {
    const K = count(shape, normalization, groups);
    const [size, run] = [values.length / K, runLength(shape, normalization)];
    const sums = new Float64Array(K);
    for (let start = 0; start < values.length; start += run) {
      let sum = 0;
      for (let i = start; i < start + run; i++) sum += values[i];
      sums[sets[start]] += sum;
    }
    const means = sums.map((sum) => (centred(normalization) ? sum / size : 0));
    const squares = new Float64Array(K);
    for (let start = 0; start < values.length; start += run) {
      const mean = means[sets[start]];
      let sum = 0;
      for (let i = start; i < start + run; i++) sum += (values[i] - mean) * (values[i] - mean);
      squares[sets[start]] += sum;
    }
    const variances = squares.map((sum) => sum / size);
    const deviations = variances.map((variance) => Math.sqrt(variance + epsilon));
    return { sets, run, size, sums, means, variances, deviations };
  }

  /** What batch normalization uses in evaluation: for each channel the running mean and variance that it has kept. */
  function stored(shape, { means, variances }, epsilon = EPSILON) {
    const sets = sharingSets(shape, "batch");
    return { sets, run: runLength(shape, "batch"), size: sets.length / shape[1], means, variances, deviations: variances.map((variance) => Math.sqrt(variance + epsilon)) };
  }

  /** The running mean and variance of each channel after a training step on a batch, whose unbiased variance they take up. */
  function updateRunning({ means, variances }, found, momentum = MOMENTUM) {
    const moved = (old, now) => (1 - momentum) * old + momentum * now;
    return {
      means: means.map((mean, c) => moved(mean, found.means[c])),
      variances: variances.map((variance, c) => moved(variance, unbiased(found.variances[c], found.size))),
    };
  }

  /** A variance with m − 1 in its denominator, from one with m. */
  const unbiased = (variance, m) => (variance * m) / (m - 1);

  /** γ · (x − μ) / σ + β with one γ and one β for each channel; without them the normalized values themselves. */
  function normalize(values, [, C, H, W], { sets, run, means, deviations }, gamma, beta) {
    const result = new Float64Array(values.length);
    for (let start = 0; start < values.length; start += run) {
      const c = Math.floor(start / (H * W)) % C;
      const [mean, scale, shift] = [means[sets[start]], (gamma ? gamma[c] : 1) / deviations[sets[start]], beta ? beta[c] : 0];
      for (let i = start; i < start + run; i++) result[i] = scale * (values[i] - mean) + shift;
    }
    return result;
  }

  /** The numbers of groups that C channels can be divided into. */
  function divisors(C) {
    return Array.from({ length: C }, (_, i) => i + 1).filter((groups) => C % groups === 0);
  }

  return Object.freeze({ script, about, apart, centred, EPSILON, MOMENTUM, count, sharingSets, runLength, statistics, stored, updateRunning, unbiased, normalize, divisors });
})();
