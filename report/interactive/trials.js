// What a reader of the trainer can choose, as pure functions: three trials, each a choice of every setting, and the address that keeps them.
"use strict";

globalThis.trials = (() => {
  const { decimal, number, percent } = globalThis.notation;
  const { storesStatistics } = globalThis.layers;

  const BEGINNING = "#train?";
  const RUNS = 3;

  const variants = () => Object.values(globalThis.trainingData.variants);
  const strongest = (name) => Math.max(...variants().map((values) => values[name]));

  /** The settings, each with its name, the values that it may have, and what these are called where that is not themselves. */
  const SETTINGS = [
    { name: "norm_arg", label: "normalization", values: Object.keys(globalThis.trainingData?.colours ?? {}) },
    { name: "penalty", label: "penalty", values: ["none", "L1", "L2", "L1+L2"], words: { "L1+L2": "L1 + L2" } },
    { name: "depth", label: "more blocks (depth)", values: [0, 4, 8, 16] },
    { name: "ghost_batch_size", label: "images sharing statistics", values: [0, 16, 8, 4, 2, 1], words: { 0: "batch" } },
    { name: "tested", label: "statistics in the test", values: ["evaluation", "alone"], words: { evaluation: "kept", alone: "own" } },
    { name: "batch_size", label: "batch size", values: [8, 16, 32, 64, 128], more: true },
    { name: "learning_rate", label: "learning rate", values: [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 1], more: true },
    { name: "initialization", label: "initialization", values: ["pytorch", "he"], words: { pytorch: "PyTorch", he: "He" }, more: true },
    { name: "epochs", label: "epochs", values: [1, 2, 5, 10, 20], more: true },
    { name: "seed", label: "seed", values: [0, 1, 2, 3, 4], more: true },
  ];

  const of = (values) => ({
    ...Object.fromEntries(SETTINGS.filter(({ name }) => name in values).map(({ name }) => [name, values[name]])),
    penalty: [values.l1 && "L1", values.l2 && "L2"].filter(Boolean).join("+") || "none",
    tested: "evaluation",
  });

  /** The trials to begin with: the variants of the study. */
  const begin = () => variants().map(of);

  const SOON = { penalty: "none", batch_size: 16, learning_rate: 0.003 }; // with which deep networks learn soonest

  /**
   * Questions that are asked by one click. Each changes the three trials that the figure begins with, and says what to look at.
   *
   * `found` is the answer of some, from what the three came to: { accuracy, wrong } in the last test, of so many images, and
   * `widths`, the standard deviation of what went into each layer.
   */
  const QUESTIONS = {
    variants: {
      title: "The three variants",
      change: [{}, {}, {}],
      look: "Normalization and penalty differ together here, as in the study. Set each penalty to none in the settings and start again: which differences stay?",
    },
    depth: {
      title: "What if no normalization, depth 16?",
      change: [{ norm_arg: "batch", depth: 16 }, { norm_arg: "none", depth: 16 }, { norm_arg: "none", depth: 0 }].map((each) => ({ ...SOON, ...each })),
      look: "Runs 1 and 2 are 16 blocks deeper than run 3. Run 1 has normalization, runs 2 and 3 have none. Does the dashed line leave “guessing”? At the bottom, see how wide the values are that reach the last layers.",
      found(ends) {
        const [normalized, plain, shallow] = ends.map(({ accuracy }) => accuracy);
        const needed = Math.min(normalized, shallow) > 0.5 && plain < 0.2 ? " So deep, only the network with normalization has learned." : "";
        const [first, ...later] = ends[1].widths;
        const least = Math.min(...later);
        const narrow = least < first / 2 ? ` In run 2 the values’ standard deviation falls from ${number(first, 2)} in the first layer to ${number(least, 2)} in a later one.` : "";
        return `In the test, run 1 reached ${percent(normalized, 1)}, run 2, as deep without normalization, ${percent(plain, 1)}, and run 3, shallow without normalization, ${percent(shallow, 1)}; guessing gives ${percent(0.1)}.${needed}${narrow}`;
      },
    },
    alone: {
      title: "What if each test image is normalized alone?",
      change: [{}, { tested: "alone" }, { tested: "alone", ghost_batch_size: 1 }].map((each) => ({ ...SOON, norm_arg: "batch", depth: 8, ...each })),
      look: "Runs 1 and 2 train the same network, which normalizes with the means and deviations of 16 images at a time. In the test, run 1 uses averages of them that it kept while it trained; run 2 uses each image’s own. Run 3 uses each image’s own in training, too.",
      found(ends, tested) {
        const [kept, own, both] = ends.map(({ wrong }) => wrong);
        const unlike = own > Math.max(kept, both) ? " Only run 2 is tested with statistics unlike those that it learned with, and it does worst." : "";
        return `Of ${decimal(tested)} test images, run 1 gets ${decimal(kept)} wrong; run 2, the same network with each image’s own statistics in the test, ${decimal(own)}; run 3, with each image’s own in training, too, ${decimal(both)}.${unlike}`;
      },
    },
  };

  const answer = (question) => begin().map((trial, i) => allowed({ ...trial, ...QUESTIONS[question].change[i] }));

  /** Whether a trial's images can share statistics: not where each has its own. */
  const shares = ({ norm_arg: name }) => name !== "none" && storesStatistics(name);

  /** A trial whose settings go together: as many images share as the batch has at most, and none where each has its own. */
  function allowed(trial) {
    if (!shares(trial)) return { ...trial, ghost_batch_size: 0, tested: "evaluation" };
    return trial.ghost_batch_size >= trial.batch_size ? { ...trial, ghost_batch_size: 0 } : trial;
  }

  /** The parameters of a variant that a trial asks for. */
  function parameters({ penalty, ...trial }) {
    const [l1, l2] = ["l1", "l2"].map((name) => (penalty.toLowerCase().includes(name) ? strongest(name) : 0));
    return { ...variants()[0], ...trial, l1, l2 };
  }

  /** What a trial is called: what of it is not as the figure begins. */
  function title(trial) {
    const words = [trial.norm_arg === "none" ? "no normalization" : trial.norm_arg];
    if (trial.penalty !== "none") words.push(trial.penalty.replace("+", " + "));
    if (trial.depth) words.push(`${trial.depth} more blocks`);
    if (trial.ghost_batch_size) words.push(`${trial.ghost_batch_size} ${trial.ghost_batch_size === 1 ? "image shares" : "images share"}`);
    if (trial.tested === "alone") words.push("tested image by image");
    return words.join(", ");
  }

  /** What differs from how the figure begins, as the end of an address; nothing if nothing does. */
  function write(trials) {
    const first = begin();
    const changed = SETTINGS.map(({ name }) => name).filter((name) => trials.some((trial, i) => trial[name] !== first[i][name]));
    return changed.length ? BEGINNING + changed.map((name) => `${name}=${trials.map((trial) => trial[name]).join(",")}`).join("&") : "";
  }

  /** The trials by the end of an address; null if it is not about them. What is wrong in it is left out. */
  function read(end) {
    if (!end.startsWith(BEGINNING)) return null;
    const trials = begin();
    const given = new URLSearchParams(end.slice(BEGINNING.length).replaceAll("+", "%2B"));
    for (const { name, values } of SETTINGS) {
      const words = (given.get(name) ?? "").split(",").slice(0, RUNS);
      words.forEach((word, i) => {
        const value = values.find((each) => `${each}` === word);
        if (value !== undefined) trials[i][name] = value;
      });
    }
    return trials.map(allowed);
  }

  /** What three runs came to, whatever was asked. */
  const counted = (ends, tested) => `Of ${decimal(tested)} test images, ${ends.map(({ wrong }, i) => `run ${i + 1} gets ${decimal(wrong)} wrong`).join(", ")}.`;

  /** The question that trials ask, whatever their seed; empty if none. */
  function asked(trials) {
    const seedless = (all) => write(all.map((trial) => ({ ...trial, seed: begin()[0].seed })));
    return Object.keys(QUESTIONS).find((name) => seedless(answer(name)) === seedless(trials)) ?? "";
  }

  return Object.freeze({ SETTINGS, QUESTIONS, RUNS, begin, answer, asked, counted, shares, allowed, parameters, title, write, read });
})();
