// Training: the penalties, the optimizer, the schedule, the loop: the page's twin of normstudy/training.
"use strict";

globalThis.training = (function script() {
  const { crossEntropy } = globalThis.layers;
  const { random, build, forward, backward, parameters } = globalThis.model;
  const { toInput, augment } = globalThis.digits;

  const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8]; // of Adam: PyTorch's defaults
  const EVALUATED = 64; // images at a time
  const CLASSES = 10;

  /** What is added to the loss, l1 · Σ|w| + l2 · Σw²; its gradient is added to the weights'. */
  function penalize(changed, { l1, l2 }) {
    let total = 0;
    for (const { values, gradients, penalized } of changed) {
      if (!penalized || !(l1 || l2)) continue;
      for (let i = 0; i < values.length; i++) {
        total += l1 * Math.abs(values[i]) + l2 * values[i] ** 2;
        gradients[i] += l1 * Math.sign(values[i]) + 2 * l2 * values[i];
      }
    }
    return total;
  }

  /** The learning rate of each step: up from peak / 25 in the first 30 % of them, then down to nearly nothing, along half cosines. */
  function oneCycle(peak, steps) {
    const between = (start, end, part) => end + ((start - end) * (1 + Math.cos(Math.PI * part))) / 2;
    const turn = 0.3 * steps - 1;
    return Array.from({ length: steps }, (_, done) =>
      done <= turn ? between(peak / 25, peak, done / turn) : between(peak, peak / 25e4, (done - turn) / (steps - 1 - turn)));
  }

  /** A step of Adam (Kingma & Ba, 2015, algorithm 1), the `number`th from 1, along each gradient, which is set back to 0. */
  function adam(changed, rate, number) {
    const [first, second] = [1 - BETA1 ** number, 1 - BETA2 ** number];
    for (const each of changed) {
      const { values, gradients } = each;
      each.means ??= new Float64Array(values.length);
      each.squares ??= new Float64Array(values.length);
      for (let i = 0; i < values.length; i++) {
        each.means[i] += (1 - BETA1) * (gradients[i] - each.means[i]);
        each.squares[i] = BETA2 * each.squares[i] + (1 - BETA2) * gradients[i] ** 2;
        values[i] -= ((rate / first) * each.means[i]) / (Math.sqrt(each.squares[i] / second) + EPSILON);
        gradients[i] = 0;
      }
    }
  }

  /** The class of the largest logit of each image. */
  const predictions = ({ shape: [N], values }) =>
    Array.from({ length: N }, (_, n) => {
      const logits = values.subarray(n * CLASSES, (n + 1) * CLASSES);
      return logits.indexOf(Math.max(...logits));
    });

  const agreeing = (found, labels) => found.filter((label, n) => label === labels[n]).length;

  /** Train on one batch, the `number`th from 1; what came of it, as the network was before, and all that it passed through. */
  function step(net, changed, images, labels, rate, number, settings) {
    const passed = forward(net, images, "training");
    const logits = passed.at(-1);
    backward(net, passed, crossEntropy.backward(logits, labels));
    const penalty = penalize(changed, settings);
    adam(changed, rate, number);
    return { passed, loss: crossEntropy.forward(logits, labels), penalty, accuracy: agreeing(predictions(logits), labels) / labels.length };
  }

  /** Loss and accuracy on the test images, in evaluation or alone, and those that it gets wrong: { number, label, prediction }. */
  function* evaluate(net, data, mode = "evaluation") {
    const wrong = [];
    let loss = 0;
    for (let start = data.training; start < data.labels.length; start += EVALUATED) {
      const numbers = range(start, Math.min(start + EVALUATED, data.labels.length));
      const labels = numbers.map((number) => data.labels[number]);
      const logits = forward(net, toInput(data, numbers, (image) => image), mode).at(-1);
      loss += crossEntropy.forward(logits, labels) * numbers.length;
      predictions(logits).forEach((prediction, n) => {
        if (prediction !== labels[n]) wrong.push({ number: numbers[n], label: labels[n], prediction });
      });
      yield; // a breath, so that a reader who pauses is heard
    }
    const tested = data.labels.length - data.training;
    return { loss: loss / tested, accuracy: 1 - wrong.length / tested, wrong };
  }

  const range = (first, end) => Array.from({ length: end - first }, (_, i) => first + i);

  function shuffled(count, draw) {
    const order = range(0, count);
    for (let i = count - 1; i > 0; i--) {
      const other = Math.floor(draw() * (i + 1));
      [order[i], order[other]] = [order[other], order[i]];
    }
    return order;
  }

  /**
   * Train a new network and yield what happens: { step, … } for each batch, { epoch, … } for each test.
   *
   * The settings are the parameters of a variant, and `tested`: evaluation or alone. It ends early where the loss is not finite.
   */
  function* fit(data, settings) {
    const { epochs, batch_size: batchSize, learning_rate: peak, seed } = settings;
    const draw = random(seed);
    const net = build(settings, draw);
    const changed = parameters(net);
    const batches = Math.floor(data.training / batchSize);
    const rates = oneCycle(peak, epochs * batches);
    for (let epoch = 1, number = 1; epoch <= epochs; epoch++) {
      const order = shuffled(data.training, draw);
      for (let batch = 0; batch < batches; batch++, number++) {
        const chosen = order.slice(batch * batchSize, (batch + 1) * batchSize);
        const images = toInput(data, chosen, (image) => augment(image, [0, 1, 2, 3].map(() => 2 * draw() - 1), settings));
        const came = step(net, changed, images, chosen.map((image) => data.labels[image]), rates[number - 1], number, settings);
        yield { step: number, steps: rates.length, batches, net, ...came };
        if (!Number.isFinite(came.loss + came.penalty)) return;
      }
      yield { epoch, net, ...(yield* evaluate(net, data, settings.tested)) };
    }
  }

  return Object.freeze({ script, penalize, oneCycle, adam, step, evaluate, fit });
})();
