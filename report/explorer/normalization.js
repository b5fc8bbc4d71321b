// What a normalization layer computes, as pure functions: the page's twin of normstudy/statistics.py.
// A tensor is its shape [N, C, H, W] and its values in row-major order; K is the number of sets that share statistics.
"use strict";

globalThis.normalization = (() => {
  const METHODS = ["batch", "layer", "group", "instance"];
  const EPSILON = 1e-5; // PyTorch's default

  /** How many means, and as many standard deviations: C, N, N·G or N·C. */
  function count([N, C], method, groups = 1) {
    return { batch: C, layer: N, group: N * groups, instance: N * C }[method];
  }

  /** The number of each value's set, from 0 to K − 1: values with the same number share a mean and a standard deviation. */
  function sharingSets(shape, method, groups = 1) {
    if (!METHODS.includes(method)) throw new RangeError(`method is ${method}; it must be one of ${METHODS.join(", ")}`);
    const [N, C, H, W] = shape;
    if (method === "group" && C % groups !== 0) throw new RangeError(`groups is ${groups}; it must divide the ${C} channels`);
    const setOf = {
      batch: (n, c) => c,
      layer: (n) => n,
      group: (n, c) => n * groups + Math.floor(c / (C / groups)),
      instance: (n, c) => n * C + c,
    }[method];
    return Int32Array.from({ length: N * C * H * W }, (_, i) => {
      const block = Math.floor(i / (H * W));
      return setOf(Math.floor(block / C), block % C);
    });
  }

  /** Sum, mean, biased variance and standard deviation (ε under the root) of every set. */
  function statistics(values, shape, method, groups = 1, epsilon = EPSILON) {
    const sets = sharingSets(shape, method, groups);
    const K = count(shape, method, groups);
    const size = values.length / K;
    const sums = new Float64Array(K);
    values.forEach((x, i) => (sums[sets[i]] += x));
    const means = sums.map((sum) => sum / size);
    const squares = new Float64Array(K);
    values.forEach((x, i) => (squares[sets[i]] += (x - means[sets[i]]) ** 2));
    const variances = squares.map((sum) => sum / size);
    const deviations = variances.map((variance) => Math.sqrt(variance + epsilon));
    return { sets, size, sums, means, variances, deviations };
  }

  /** γ · (x − μ) / σ + β with one γ and one β for each channel; without them the normalized values themselves. */
  function normalize(values, shape, found, gamma, beta) {
    const [, C, H, W] = shape;
    return Float64Array.from(values, (x, i) => {
      const c = Math.floor(i / (H * W)) % C;
      const normalized = (x - found.means[found.sets[i]]) / found.deviations[found.sets[i]];
      return (gamma ? gamma[c] : 1) * normalized + (beta ? beta[c] : 0);
    });
  }

  /** The numbers of groups that C channels can be divided into. */
  function divisors(C) {
    return Array.from({ length: C }, (_, i) => i + 1).filter((groups) => C % groups === 0);
  }

  return Object.freeze({ METHODS, EPSILON, count, sharingSets, statistics, normalize, divisors });
})();
