// A worker of the trainer: it trains one network, as fast as it can or a step at a time, and tells the page now and then.
// The page makes it from the source of these functions: a page that is opened from disk may load no worker.
"use strict";

globalThis.trainerWorker = Object.freeze({
  script: function script() { // eslint-disable-line max-lines-per-function -- a whole script
    const { digits, training } = globalThis;

    const EVERY = 150; // milliseconds from one report to the next
    const [BINS, REACH, LOOKED_AT] = [48, 4, 8192]; // of a distribution: from −REACH to REACH, of so many values or some more
    const STRIDES = [1, 3, 11, 23, 53, 101]; // that divide no side of a map, so that all places are met
    const SHOWN = 8; // images that are wrong

    let [fitting, data, allowance, going] = [null, null, 0, false]; // allowance: how many steps more

    /** How often values lie in each of the bins, the outermost with all beyond; their mean and standard deviation. */
    function distribution({ values }) {
      const bins = new Float64Array(BINS);
      const stride = STRIDES.findLast((each) => each * LOOKED_AT <= values.length) ?? 1;
      let [count, sum, squares] = [0, 0, 0];
      for (let i = 0; i < values.length; i += stride, count++) {
        const bin = Math.floor(((values[i] + REACH) / (2 * REACH)) * BINS);
        bins[Math.max(0, Math.min(BINS - 1, bin)) || 0]++;
        sum += values[i];
        squares += values[i] ** 2;
      }
      const mean = sum / count;
      return { bins, mean, deviation: Math.sqrt(Math.max(0, squares / count - mean ** 2)) };
    }

    /** What goes into each normalization layer, and what comes out. */
    const distributions = ({ net, passed }) =>
      net.flatMap(({ kind }, i) => (kind === "normalization" || kind === "identity" ? [[passed[i], passed[i + 1]].map(distribution)] : []));

    function report(steps, last, ended) {
      const about = { steps, of: last?.steps, batches: last?.batches, ended };
      postMessage(last ? { ...about, distributions: distributions(last) } : about);
    }

    function reportEpoch({ epoch, loss, accuracy, wrong }) {
      const shown = wrong.slice(0, SHOWN).map(({ number, ...rest }) => ({ ...rest, number, pixels: data.images.slice(number * digits.SIDE ** 2, (number + 1) * digits.SIDE ** 2) }));
      postMessage({ epoch, loss, accuracy, wrong: wrong.length, shown });
    }

    async function go() {
      if (going || !fitting) return;
      going = true;
      while (allowance > 0) {
        const until = performance.now() + EVERY;
        const steps = [];
        let [last, ended] = [null, false];
        while (allowance > 0 && !ended && performance.now() < until) {
          const { value, done } = fitting.next();
          ended = done;
          if (value?.step) {
            allowance--;
            last = value;
            steps.push([value.step, value.loss, value.accuracy]);
          } else if (value) reportEpoch(value);
        }
        report(steps, last, ended);
        if (ended) return;
        await new Promise((resume) => setTimeout(resume)); // so that a message is heard
      }
      going = false;
    }

    globalThis.onmessage = async ({ data: { begin, steps } }) => {
      allowance = steps;
      if (begin) {
        data = await digits.unpack(begin.data);
        fitting = training.fit(data, begin.settings);
      }
      go();
    };
  },
});
