// What a reader of the explorer is asked to do, and whether it is done, as pure functions of what the explorer holds.
"use strict";

globalThis.tasks = (() => {
  const { keeps, evaluating, independent, ofBatch, normalized, output } = globalThis.exploration;

  const furthest = (some, others) => some.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i])), 0);

  /** The channels that come out as they went in, in every image, though they have been normalized. */
  function givenBack(state) {
    const { shape: [, C, H, W], values } = state;
    const [x, inner, y] = [values, normalized(state), output(state)].map((all) =>
      Array.from({ length: C }, (_, channel) => all.filter((_value, i) => Math.floor(i / (H * W)) % C === channel)));
    return x.flatMap((own, c) => (furthest(own, y[c]) < 0.02 && furthest(own, inner[c]) > 0.02 ? [c] : []));
  }

  /** Each with a title, what is asked, `solved(state)`, and `why(state)` the solution is one. */
  return Object.freeze({
    alone: {
      title: "one image alone",
      asked: "Make the result of one image independent of the other images.",
      solved: (state) => state.shape[0] > 1 && independent(state),
      why: (state) => evaluating(state)
        ? "In evaluation batch normalization uses what it has kept, and no other image has a say. In training you would need a normalization that has statistics for each image."
        : "Each image has statistics of its own, in training and in evaluation. Batch normalization gets there too, but in evaluation alone.",
    },
    back: {
      title: "a channel as it was",
      asked: "While the layer is in training, find γ and β that give one channel back as it was, in every image.",
      solved: (state) => state.shape[0] > 1 && !evaluating(state) && givenBack(state).length > 0,
      why: (state) => keeps(state.normalization)
        ? "All values of a channel share one σ and one μ, so one γ and one β undo them in every image."
        : "The images happen to have the same σ and μ here. In general one γ and one β fit a single image.",
    },
    running: {
      title: "evaluation like training",
      asked: "Make batch normalization in evaluation give what it gives in training: no x̂ further off than 0.1.",
      solved: (state) => evaluating(state) && furthest(normalized(state), normalized({ ...state, mode: "training" })) < 0.1,
      why: () => "The running statistics are now close to those of this batch: each step takes a tenth of the way. The variance ends a little too high, since it takes up the unbiased one.",
    },
    zero: {
      title: "nothing left",
      asked: "Choose N, C, H × W, G and a normalization so that every x̂ in training is 0, whatever the values are.",
      solved: (state) => !evaluating(state) && ofBatch(state).size === 1 && normalized(state).every((value) => value === 0),
      why: ({ normalization }) => `Each value is a set of its own, and its own mean: x − μ = 0. ${keeps(normalization) ? "PyTorch's BatchNorm2d refuses such a batch in training." : "So statistics need sets of more than one value."}`,
    },
  });
})();
