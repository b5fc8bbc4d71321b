// What the explorer says of what it holds, as pure functions.
"use strict";

globalThis.sentences = (() => {
  const { about, apart, centred, count, MOMENTUM, unbiased } = globalThis.normalization;
  const { short } = globalThis.notation;
  const { keeps, evaluating, independent, ofBatch } = globalThis.exploration;

  /** A normalization's whole name. */
  const title = (normalization) => about(normalization).title;

  /** So many statistics of a normalization: 4 means and 4 standard deviations. */
  function statistics(normalization, K) {
    const s = K === 1 ? "" : "s";
    return centred(normalization) ? `${K} mean${s} and ${K} standard deviation${s}` : `${K} root mean square${s}`;
  }

  /** What is normalized with what, and in how many sets: a sentence, and the counts. */
  function idea(state, size) {
    const { normalization, shape, groups } = state;
    const { idea: shares, size: letters, count: formula } = about(normalization);
    const K = count(shape, normalization, groups);
    const others = independent(state) ? "No other image has a say." : "What the other images hold changes the result for this one.";
    if (evaluating(state)) {
      const each = `${formula} = ${K} stored ${K === 1 ? "mean and 1 stored variance" : `means and ${K} stored variances`}.`;
      return [`${title(normalization)} in evaluation: each channel has a mean and a variance of its own, kept in training. ${others} `, each];
    }
    const each = `${formula} = ${statistics(normalization, K)}, each over ${letters} = ${size} ${size === 1 ? "value" : "values"}.`;
    return [`${title(normalization)}: ${shares}. ${others} `, each];
  }

  /** What a training step would do to what is kept of a channel, or why there is no such step. */
  function keeping(state, channel) {
    const { normalization, running: { means, variances } } = state;
    if (!keeps(normalization)) return `${title(normalization)} keeps nothing: it does the same in training and in evaluation.`;
    const kept = `Channel ${channel + 1} keeps the running mean ${short(means[channel])} and the running variance ${short(variances[channel])}.`;
    if (evaluating(state)) return `${kept} In evaluation they stay as they are: no steps.`;
    const batch = ofBatch(state);
    if (batch.size === 1) return `${kept} No step is possible: one value has no unbiased variance.`;
    const moved = (old, now) => `${1 - MOMENTUM} · ${short(old)} + ${MOMENTUM} · ${short(now)}`;
    return `${kept} A training step makes them ${moved(means[channel], batch.means[channel])} and ${moved(variances[channel], unbiased(batch.variances[channel], batch.size))}, of the unbiased variance.`;
  }

  /** How far gamma and beta can undo the normalization. */
  function undoing(normalization) {
    if (keeps(normalization)) return "γ = σ and β = μ give a whole channel back as it was: all of its values share one mean and one standard deviation.";
    const [equal, own] = centred(normalization) ? ["γ = σ and β = μ give", "mean and standard deviation"] : ["γ = σ gives", "root mean square"];
    const part = apart(normalization).includes("H") ? "place of the image" : apart(normalization).includes("G") ? "image's group" : "image";
    return `${equal} the channel back for this ${part} only: elsewhere the same γ and β meet another ${own}.`;
  }

  return Object.freeze({ title, statistics, idea, keeping, undoing });
})();
